//! TLS to the server, as `sslmode` says. Verified against the name in the connection string, never against an
//! address that the name led to.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{Error, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::startup::Wire;
use super::{NO_TLS, UNTRUSTED};
use crate::config::SettingError;
use crate::text::plain;
use crate::trust::{self, Check};

/// Asks for TLS.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST>
const REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// How sure the operator wants to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// In clear text.
    Disable,
    /// Encrypted if the server can.
    Prefer,
    /// Encrypted, with any server.
    Require,
    /// By a certificate of a known authority.
    VerifyCa,
    /// And of this very host.
    VerifyFull,
}

impl Mode {
    /// As libpq names it. `allow` begins in clear text, as libpq does.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" | "allow" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    fn check(self) -> Check {
        match self {
            Self::Disable | Self::Prefer | Self::Require => Check::Nothing,
            Self::VerifyCa => Check::Issuer,
            Self::VerifyFull => Check::IssuerAndName,
        }
    }
}

/// What the connection string says of TLS.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    pub(super) mode: Mode,
    /// A file of authorities, or `system`; the system's if it is left out.
    pub(super) root: Option<String>,
    /// A file with the client's certificate.
    pub(super) certificate: Option<String>,
    /// A file with its key.
    pub(super) key: Option<String>,
}

/// Why there is no protected connection.
#[derive(Debug)]
pub(super) struct Failed {
    /// An SQLSTATE of ours; none where the network failed.
    pub(super) code: Option<&'static str>,
    pub(super) what: String,
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self { code: None, what: error.to_string() }
    }
}

/// TLS, set up.
#[derive(Clone)]
pub(super) struct Connector {
    mode: Mode,
    connector: TlsConnector,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({:?})", self.mode)
    }
}

fn unusable(parameter: &str, file: &str, what: &dyn fmt::Display) -> SettingError {
    SettingError::new(
        format!("`{parameter}` of DATABASE_URL, {}: {}", plain(file), plain(&what.to_string())),
        format!("set `{parameter}` to a PEM file that this user may read, or leave it out"),
    )
}

impl Tls {
    /// Reads the files; `None` where TLS is not wanted.
    pub(super) fn connector(&self) -> Result<Option<Connector>, SettingError> {
        if self.mode == Mode::Disable {
            return Ok(None);
        }
        // As for libpq: who names an authority wants it to be asked.
        let mode = if self.root.is_some() { self.mode.max(Mode::VerifyCa) } else { self.mode };
        let mode = if self.mode == Mode::Prefer { self.mode } else { mode };
        let broken = |what: &dyn fmt::Display| {
            SettingError::new(
                format!("TLS to the database cannot be set up: {}", plain(&what.to_string())),
                "check sslmode, sslrootcert, sslcert and sslkey in DATABASE_URL, and the system's certificates",
            )
        };
        let (mut roots, mut own) = (RootCertStore::empty(), Vec::new());
        match self.root.as_deref() {
            None | Some("system") => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Some(file) => {
                own = certificates("sslrootcert", file)?;
                for certificate in &own {
                    roots.add(certificate.clone()).map_err(|error| unusable("sslrootcert", file, &error))?;
                }
            }
        }
        let builder = trust::client(mode.check(), roots, own).map_err(|error| broken(&error))?;
        let mut config = match (self.certificate.as_deref(), self.key.as_deref()) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates("sslcert", certificate)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable("sslkey", key, &error))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| broken(&error))?
            }
            _ => return Err(broken(&"sslcert and sslkey belong together, and only one of them is set")),
        };
        // PostgreSQL 17 wants it where it is offered at all.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Some(Connector { mode, connector: TlsConnector::from(Arc::new(config)) }))
    }
}

fn certificates(parameter: &str, file: &str) -> Result<Vec<CertificateDer<'static>>, SettingError> {
    let read = std::fs::read(file).map_err(|error| unusable(parameter, file, &error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read).collect();
    let found = found.map_err(|error| unusable(parameter, file, &error))?;
    if found.is_empty() { Err(unusable(parameter, file, &"holds no certificate")) } else { Ok(found) }
}

impl Connector {
    /// Protects a connection to the server of this name.
    pub(super) async fn protect(&self, name: &str, mut socket: TcpStream) -> Result<Box<dyn Wire>, Failed> {
        socket.write_all(&REQUEST).await?;
        match socket.read_u8().await? {
            b'S' => {}
            b'N' if self.mode == Mode::Prefer => return Ok(Box::new(socket)),
            b'N' => return Err(Failed { code: Some(NO_TLS), what: "it speaks no TLS".into() }),
            _ => return Err(Failed { code: None, what: "it does not speak PostgreSQL's protocol".into() }),
        }
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| Failed { code: Some(NO_TLS), what: "its name can stand in no certificate".into() })?;
        match self.connector.connect(name, socket).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
                Err(match tls {
                    Some(Error::InvalidCertificate(what)) => {
                        Failed { code: Some(UNTRUSTED), what: format!("its certificate: {}", trust::complaint(what)) }
                    }
                    Some(other) => Failed { code: Some(NO_TLS), what: other.to_string() },
                    None => error.into(),
                })
            }
        }
    }
}
