use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::tempdir;

use super::*;

fn made(directory: &Path) -> CertificateFiles {
    self_signed(directory, &["192.0.2.7".parse().unwrap()]).unwrap()
}

fn refusal(files: &CertificateFiles) -> String {
    Certificates::open(files).unwrap_err().to_string()
}

#[test]
fn a_self_signed_certificate_is_made_once_and_private() {
    let data = tempdir().unwrap();
    let files = made(data.path());
    assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
    let fingerprint = Certificates::open(&files).unwrap().fingerprint();
    assert_eq!(fingerprint.len(), 64);
    assert_eq!(Certificates::open(&made(data.path())).unwrap().fingerprint(), fingerprint);
}

#[test]
fn a_new_certificate_is_shown_after_a_reload() {
    let (data, other) = (tempdir().unwrap(), tempdir().unwrap());
    let certificates = Certificates::open(&made(data.path())).unwrap();
    let before = certificates.fingerprint();
    assert!(!certificates.reload(&made(data.path())).unwrap());
    fs::copy(made(other.path()).key, made(data.path()).key).unwrap();
    assert!(certificates.reload(&made(data.path())).unwrap());
    assert_ne!(certificates.fingerprint(), before);
}

#[test]
fn a_broken_certificate_does_not_replace_the_one_in_use() {
    let data = tempdir().unwrap();
    let files = made(data.path());
    let certificates = Certificates::open(&files).unwrap();
    let before = certificates.fingerprint();
    fs::write(&files.certificate, "half a certif").unwrap();
    assert!(certificates.reload(&files).unwrap_err().to_string().contains("holds no certificate"));
    assert_eq!(certificates.fingerprint(), before);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let files = CertificateFiles { certificate: made(one.path()).certificate, key: made(other.path()).key };
    assert!(refusal(&files).contains("does not belong to the first certificate in"), "{}", refusal(&files));
}

#[test]
fn a_key_that_everybody_can_read_is_refused_and_one_for_a_group_is_not() {
    let data = tempdir().unwrap();
    let files = made(data.path());
    for (mode, is_refused) in [(0o600, false), (0o640, false), (0o644, true), (0o660, true), (0o602, true)] {
        fs::set_permissions(&files.key, Permissions::from_mode(mode)).unwrap();
        assert_eq!(Certificates::open(&files).is_err(), is_refused, "{mode:o}");
    }
    assert!(refusal(&files).contains("chmod o-rwx,g-wx"), "{}", refusal(&files));
}

#[test]
fn a_file_without_what_is_expected_of_it_is_named() {
    let data = tempdir().unwrap();
    let files = made(data.path());
    let empty = data.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    fs::set_permissions(&empty, Permissions::from_mode(0o600)).unwrap();
    let missing = data.path().join("missing.pem");
    let of = |certificate: &Path, key: &Path| {
        refusal(&CertificateFiles { certificate: certificate.to_owned(), key: key.to_owned() })
    };
    for (error, expected) in [
        (of(&missing, &files.key), "missing.pem cannot be read"),
        (of(&files.certificate, &missing), "missing.pem cannot be read"),
        (of(&empty, &files.key), "empty.pem holds no certificate"),
        (of(&files.certificate, &empty), "empty.pem holds no private key"),
    ] {
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_end_of_a_certificate_s_validity_is_known() {
    let data = tempdir().unwrap();
    let until = Certificates::open(&made(data.path())).unwrap().valid_until().unwrap();
    let years = until.duration_since(std::time::SystemTime::now()).unwrap().as_secs() / (365 * 24 * 3600);
    assert!((8..=10).contains(&years), "{years}");
}
