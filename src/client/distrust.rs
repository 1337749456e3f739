//! Why the other side of a TLS connection was not believed, found in an error and its causes.

use std::error::Error;
use std::fmt;

use rustls::CertificateError;

/// Why a certificate was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody we trust has signed it.
    Issuer,
    /// It is for other names.
    Name,
    /// It is no longer, or not yet, good.
    Time,
    /// Anything else that is wrong with it.
    Other,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Distrust::Issuer => "it is signed by an authority that is not trusted here",
            Distrust::Name => "it is for other names than the one that was called",
            Distrust::Time => "it has expired, or is not good yet",
            Distrust::Other => "it cannot be used",
        })
    }
}

/// Whether an error comes from a certificate that was not accepted, and why.
pub fn distrust(error: &(dyn Error + 'static)) -> Option<Distrust> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(problem)) = error.downcast_ref() {
            return Some(of(problem));
        }
        // An I/O error passes over the error that it holds when it is asked for its cause.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match held {
            Some(held) => Some(held as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

fn of(problem: &CertificateError) -> Distrust {
    match problem {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Distrust::Issuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Distrust::Name,
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Distrust::Time,
        _ => Distrust::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn certificates_are_found_beneath_other_errors() {
        let within = |problem: rustls::Error| Outer(std::io::Error::other(Outer(std::io::Error::other(problem))));
        for (problem, expect) in [
            (rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer), Some(Distrust::Issuer)),
            (rustls::Error::InvalidCertificate(CertificateError::NotValidForName), Some(Distrust::Name)),
            (rustls::Error::InvalidCertificate(CertificateError::Expired), Some(Distrust::Time)),
            (rustls::Error::InvalidCertificate(CertificateError::Revoked), Some(Distrust::Other)),
            (rustls::Error::DecryptError, None),
        ] {
            assert_eq!(distrust(&within(problem.clone())), expect, "{problem}");
        }
    }
}
