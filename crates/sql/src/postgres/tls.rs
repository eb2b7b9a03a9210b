//! What of TLS a URL asks for (`sslmode`, `sslrootcert`) and cannot have.

use std::{fs::File, io};

use crate::SqlError;

/// The names under which a URL gives the file of an authority.
const ROOT_CERT_NAMES: [&str; 3] = ["sslrootcert", "ssl-root-cert", "ssl-ca"];

/// Whether the authority's file that `url` names can be read. The driver would find out too, but with an
/// error that looks as if the server did not answer.
pub(crate) fn check_root_cert(url: &str) -> Result<(), SqlError> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    // One with escapes is left to the driver.
    let files = pairs.filter(|(name, file)| ROOT_CERT_NAMES.contains(name) && !file.contains('%'));
    for (_, file) in files {
        File::open(file).map_err(|source| SqlError::RootCert {
            file: file.to_owned(),
            source,
        })?;
    }
    Ok(())
}

/// Whether a handshake failed for what will not pass: a certificate that is not trusted, not for this
/// host, or expired.
pub(crate) fn is_refused(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_named_without_the_rest_of_the_url() {
        let url = "postgres://u:s3cret@h/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem";
        let said = check_root_cert(url).unwrap_err().to_string();
        assert!(
            said.contains("/nowhere/ca.pem") && !said.contains("s3cret"),
            "{said}"
        );
        assert!(check_root_cert("postgres://u@h/db?sslmode=require").is_ok());
        assert!(check_root_cert("postgres://u@h/db").is_ok());
    }
}
