//! Certificates made for one test: an authority of its own, and what it signs.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use crate::host::scratch;

/// Every name under which a test reaches a server on this machine.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// An authority that nobody knows but who is handed its file.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    directory: PathBuf,
}

/// A certificate for `localhost` and 127.0.0.1 with its key, in files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The chain in PEM.
    pub cert_file: PathBuf,
    /// The private key in PEM.
    pub key_file: PathBuf,
}

impl Authority {
    /// A new authority; each is another, though all have the same name.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "hotdeal tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).expect("an authority signs itself");
        let directory = scratch::directory("certs");
        write(&directory.join("ca.pem"), &certificate.pem());
        Self {
            issuer: Issuer::new(params, key),
            directory,
        }
    }

    /// The authority's own certificate, which clients are to trust.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The same in PEM.
    ///
    /// # Panics
    /// When somebody has removed the file.
    pub fn ca_pem(&self) -> Vec<u8> {
        fs::read(self.ca_file()).expect("the authority has written its file")
    }

    /// A certificate that holds from 1975 to 4096.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn issue(&self) -> Certificate {
        self.sign("server", params())
    }

    /// A certificate that held until the year 2000.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn issue_expired(&self) -> Certificate {
        let mut params = params();
        params.not_after = date_time_ymd(2000, 1, 1);
        self.sign("expired", params)
    }

    fn sign(&self, name: &str, params: CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("a key can be made");
        let signed = params.signed_by(&key, &self.issuer);
        let signed = signed.expect("an authority can sign");
        let directory = scratch::directory(name);
        let certificate = Certificate {
            cert_file: directory.join("cert.pem"),
            key_file: directory.join("key.pem"),
        };
        write(&certificate.cert_file, &signed.pem());
        write(&certificate.key_file, &key.serialize_pem());
        certificate
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn params() -> CertificateParams {
    let names = NAMES.map(str::to_owned);
    CertificateParams::new(names).expect("the names are names")
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("a scratch directory is writable");
}
