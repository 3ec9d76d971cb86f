//! PostgreSQL on another machine: its certificate must fit, unless the address says otherwise.
//!
//! 0.0.0.0 reaches this machine and is no address of loopback, so the server takes it for another machine.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::program::{command, run};
use crate::common::{Postgres, folder};

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(parameters, key).expect("a certificate") }
    }

    /// A certificate for this name, and its key.
    fn certificate(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}

/// The exit status of a command that opens the database, and what it said.
async fn open(url: &str) -> (Option<i32>, String) {
    let folder = folder();
    let output = run(command(folder.path(), &["strategies", "--redis-url", "none", "--database-url", url])).await;
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

async fn assert_needs_certificate(url: &str) {
    let (status, said) = open(url).await;
    assert_eq!(status, Some(1), "{url}: {said}");
    for words in ["cannot use the PostgreSQL database", "sslmode=verify-full", "sslrootcert=FILE"] {
        assert!(said.contains(words), "{url}: {words} in {said}");
    }
}

#[tokio::test]
async fn a_server_elsewhere_without_tls_is_refused_unless_the_address_says_so() {
    let server = Postgres::start_apart(None).await;
    let elsewhere = server.url("0.0.0.0");
    assert_needs_certificate(&elsewhere).await;
    for url in [format!("{elsewhere}?sslmode=disable"), format!("{elsewhere}?sslmode=prefer"), server.url("127.0.0.1")]
    {
        let (status, said) = open(&url).await;
        assert_eq!(status, Some(0), "{url}: {said}");
    }
}

#[tokio::test]
async fn a_server_elsewhere_is_accepted_with_a_certificate_for_its_name() {
    let (authority, folder) = (Authority::new(), folder());
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority.issuer.pem()).expect("a file");
    let trusted = format!("?sslrootcert={}", file.display());
    let server = Postgres::start_apart(Some(&authority.certificate("0.0.0.0"))).await;
    let elsewhere = server.url("0.0.0.0");
    let (status, said) = open(&format!("{elsewhere}{trusted}")).await;
    assert_eq!(status, Some(0), "{said}");
    // Nobody trusts this authority by default.
    assert_needs_certificate(&elsewhere).await;
    let impostor = Postgres::start_apart(Some(&authority.certificate("db.example"))).await;
    assert_needs_certificate(&format!("{}{trusted}", impostor.url("0.0.0.0"))).await;
}
