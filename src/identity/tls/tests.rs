use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, interval};

use super::*;
use crate::identity::testing::{PROTOCOL, mismatched_pair, test_identity};

type Made = Result<(TlsStream<DuplexStream>, PeerKey), TlsError>;

async fn handshake(dialling: &TlsEndpoint, dialled: &TlsEndpoint) -> (Made, Made) {
    let (here, there) = duplex(16 * 1024);
    tokio::join!(dialling.connect(here), dialled.accept(there))
}

/// An endpoint that offers these ALPN protocols.
fn endpoint_with_alpn(protocols: &[&[u8]]) -> TlsEndpoint {
    let identity = test_identity();
    let protocols: Vec<Vec<u8>> = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let (mut dialling, mut dialled) =
        (client_config(identity.pair(), PROTOCOL.alpn), server_config(identity.pair(), PROTOCOL.alpn));
    (dialling.alpn_protocols, dialled.alpn_protocols) = (protocols.clone(), protocols);
    TlsEndpoint { connector: Arc::new(dialling).into(), acceptor: Arc::new(dialled).into(), protocol: PROTOCOL }
}

#[tokio::test]
async fn each_side_learns_the_key_of_the_other() {
    let (messi, ivy) = (test_identity(), test_identity());
    let (here, there) = handshake(&TlsEndpoint::new(&messi, PROTOCOL), &TlsEndpoint::new(&ivy, PROTOCOL)).await;
    let ((mut here, shown_here), (mut there, shown_there)) = (here.unwrap(), there.unwrap());
    assert_eq!((shown_here, shown_there), (ivy.key(), messi.key()));
    here.write_all(b"halo").await.unwrap();
    there.write_all(b"hai").await.unwrap();
    here.shutdown().await.unwrap();
    there.shutdown().await.unwrap();
    let (mut read_here, mut read_there) = (Vec::new(), Vec::new());
    here.read_to_end(&mut read_here).await.unwrap();
    there.read_to_end(&mut read_there).await.unwrap();
    assert_eq!((read_here.as_slice(), read_there.as_slice()), (b"hai".as_slice(), b"halo".as_slice()));
}

#[tokio::test]
async fn a_server_that_cannot_sign_for_the_key_it_shows_is_refused() {
    let (messi, ivy) = (test_identity(), test_identity());
    let (here, there) =
        handshake(&TlsEndpoint::new(&ivy, PROTOCOL), &TlsEndpoint::with_pair(&mismatched_pair(&messi, &ivy), PROTOCOL))
            .await;
    assert!(matches!(here, Err(TlsError::Handshake(_))));
    assert!(matches!(there, Err(TlsError::Handshake(_))));
}

#[tokio::test]
async fn a_client_that_cannot_sign_for_the_key_it_shows_is_refused() {
    let (messi, ivy) = (test_identity(), test_identity());
    let (here, there) =
        handshake(&TlsEndpoint::with_pair(&mismatched_pair(&messi, &ivy), PROTOCOL), &TlsEndpoint::new(&ivy, PROTOCOL))
            .await;
    assert!(matches!(there, Err(TlsError::Handshake(_))));
    // The client completes its handshake before the server verifies its proof.
    let (mut here, _) = here.unwrap();
    assert!(here.read_u8().await.is_err());
}

#[tokio::test]
async fn a_client_without_a_key_is_refused() {
    let builder = tls13(ClientConfig::builder_with_provider).dangerous();
    let mut keyless =
        builder.with_custom_certificate_verifier(Arc::new(RawPublicKeyVerifier::new())).with_no_client_auth();
    keyless.alpn_protocols = vec![PROTOCOL.alpn.to_vec()];
    let keyless = TlsEndpoint { connector: Arc::new(keyless).into(), ..TlsEndpoint::new(&test_identity(), PROTOCOL) };
    let (_, there) = handshake(&keyless, &TlsEndpoint::new(&test_identity(), PROTOCOL)).await;
    assert!(matches!(there, Err(TlsError::Handshake(_))));
}

#[tokio::test]
async fn another_alpn_protocol_fails() {
    let ours = TlsEndpoint::new(&test_identity(), PROTOCOL);
    for protocols in [&[][..], &[b"h2".as_slice()], &[b"kabar-link/2"]] {
        let other = endpoint_with_alpn(protocols);
        let (_, dialled) = handshake(&other, &ours).await;
        assert!(dialled.is_err(), "{protocols:?}");
        let (dialling, _) = handshake(&ours, &other).await;
        assert!(dialling.is_err(), "{protocols:?}");
    }
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let pair = test_identity();
    let mut old = builder
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(RawPublicKeyVerifier::new()))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(pair.pair().clone())));
    old.alpn_protocols = vec![PROTOCOL.alpn.to_vec()];
    let old = TlsEndpoint { connector: Arc::new(old).into(), ..TlsEndpoint::new(&test_identity(), PROTOCOL) };
    let (_, there) = handshake(&old, &TlsEndpoint::new(&test_identity(), PROTOCOL)).await;
    assert!(matches!(there, Err(TlsError::Handshake(_))));
}

#[tokio::test]
async fn sessions_are_not_resumed() {
    let (messi, ivy) = (TlsEndpoint::new(&test_identity(), PROTOCOL), TlsEndpoint::new(&test_identity(), PROTOCOL));
    for _again in 0..2 {
        let (here, _there) = handshake(&messi, &ivy).await;
        let kind = here.unwrap().0.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(rustls::HandshakeKind::Full));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_times_out() {
    let endpoint = TlsEndpoint::new(&test_identity(), PROTOCOL);
    let start = Instant::now();
    let (here, _silent) = duplex(16 * 1024);
    assert!(matches!(endpoint.accept(here).await, Err(TlsError::Timeout(_))));
    assert_eq!(start.elapsed(), PROTOCOL.handshake);
    let (here, _silent) = duplex(16 * 1024);
    assert!(matches!(endpoint.connect(here).await, Err(TlsError::Timeout(_))));
    assert_eq!(start.elapsed(), 2 * PROTOCOL.handshake);
}

#[tokio::test(start_paused = true)]
async fn a_slow_peer_times_out() {
    let endpoint = TlsEndpoint::new(&test_identity(), PROTOCOL);
    let start = Instant::now();
    let (here, mut dripping) = duplex(1);
    let hello = [&[0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc], [0; 1_000].as_slice()].concat();
    let mut drops = interval(PROTOCOL.handshake / 100);
    let drip = async {
        for byte in hello {
            drops.tick().await;
            dripping.write_u8(byte).await.unwrap();
        }
        unreachable!("the peer is given up before");
    };
    let given_up = tokio::select! {
        made = endpoint.accept(here) => made,
        () = drip => unreachable!(),
    };
    assert!(matches!(given_up, Err(TlsError::Timeout(_))));
    assert_eq!(start.elapsed(), PROTOCOL.handshake);
}
