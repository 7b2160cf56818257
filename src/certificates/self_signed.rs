//! A certificate that this server makes for itself, for networks without a name: clients pin it when they first see it.

use std::net::IpAddr;
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use secrecy::SecretString;

use crate::certificates::error::CertificateError;
use crate::certificates::files::CertificateFiles;
use crate::limits::SELF_SIGNED_YEARS;
use crate::store;

/// The certificate of a data directory, which is made if there is none. The caller must hold the lock of the directory.
///
/// # Errors
/// [`CertificateError`].
pub fn self_signed(data: &Path, addresses: &[IpAddr]) -> Result<CertificateFiles, CertificateError> {
    // One file for both, so that one write makes them.
    let file = store::certificate_path(data);
    if !file.exists() {
        let made = make(addresses).map_err(|error| CertificateError::Making(error.to_string()))?;
        store::write_certificate(data, &made)?;
    }
    Ok(CertificateFiles { certificate: file.clone(), key: file })
}

fn make(addresses: &[IpAddr]) -> Result<SecretString, rcgen::Error> {
    let named = addresses.iter().filter(|address| !address.is_unspecified()).map(ToString::to_string);
    let mut params = CertificateParams::new(["localhost".to_owned()].into_iter().chain(named).collect::<Vec<_>>())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "kabar");
    let year = i32::from(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year());
    params.not_before = date_time_ymd(year, 1, 1);
    params.not_after = date_time_ymd(year + SELF_SIGNED_YEARS, 1, 1);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", certificate.pem(), key.serialize_pem()).into())
}
