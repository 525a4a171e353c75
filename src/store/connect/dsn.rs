//! Connection strings as libpq reads them: several hosts, sockets, IPv6 addresses, parameters, and the `PG…` variables
//! behind what is left out. What is not understood is refused by its name, never passed over: a parameter that is
//! ignored may be the one that the password's safety depends on.

use std::fmt;
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;

use super::tls::{Mode, Tls};
use crate::config::SettingError;
use crate::text::plain;

/// What a connection string comes to.
#[derive(Clone, Debug)]
pub(super) struct Dsn {
    /// In the order in which they are tried; at least one.
    pub(super) servers: Vec<Server>,
    pub(super) wanted: Wanted,
    pub(super) tls: Tls,
    /// Who wants into which database.
    pub(super) options: PgConnectOptions,
}

/// A server to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Its name, which its certificate must bear, or the directory of its socket.
    pub(super) name: String,
    /// Its address, if the string has one beside the name.
    pub(super) address: Option<String>,
    pub(super) port: u16,
}

impl Server {
    /// Whether it is reached by a socket of this machine.
    pub(super) fn is_socket(&self) -> bool {
        self.address.is_none() && self.name.starts_with('/')
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, port) = (plain(&self.name), self.port);
        match &self.address {
            Some(address) => write!(f, "{name}:{port} ({})", plain(address)),
            None if self.name.contains(':') => write!(f, "[{name}]:{port}"),
            None if self.is_socket() => write!(f, "{name}/.s.PGSQL.{port}"),
            None => write!(f, "{name}:{port}"),
        }
    }
}

/// Which of several servers will do (`target_session_attrs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whichever is reached first.
    Any,
    /// One that takes writes by default.
    ReadWrite,
    /// One that does not.
    ReadOnly,
    /// One that is no standby.
    Primary,
    /// One that is.
    Standby,
}

const FORM: &str = "write DATABASE_URL as postgres://user:password@host:5432/database, with a host [::1] in brackets, \
                    several as host1:5432,host2:5432, and a socket as postgres://user@/database?host=/directory";

/// Parameters of libpq's that change nothing here: we have our own time-outs and keep-alives, and no Kerberos.
const IGNORED: [&str; 11] = [
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "fallback_application_name",
    "application_name",
    "client_encoding",
    "krbsrvname",
    "gsslib",
];

/// Whether a parameter asks for what is so anyway.
fn changes_nothing(name: &str, value: &str) -> bool {
    match name {
        "gssencmode" | "channel_binding" => value != "require",
        "sslnegotiation" => value == "postgres",
        "load_balance_hosts" => value == "disable",
        _ => IGNORED.contains(&name),
    }
}

fn refused(what: impl Into<String>) -> SettingError {
    SettingError::new(what, FORM)
}

/// A password may have been taken for what comes after it.
fn cut_short() -> SettingError {
    refused(
        "the database URL has an `@` where none belongs; in a user's name or a password a `?`, `/`, `@` or `:` is written \
         %3F, %2F, %40 or %3A",
    )
}

/// A part of a parameter to be quoted: not where it may be a part of a password.
fn quoted(part: &str, query: &str) -> Result<String, SettingError> {
    if query.contains('@') { Err(cut_short()) } else { Ok(plain(part).to_string()) }
}

/// Reads a connection string. What an error quotes of it is never a part of a password.
pub(super) fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Dsn, SettingError> {
    let text = text.trim();
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(refused(if text.contains('=') {
            "the database is named in the form key=value, which is not read here; it must be a URL"
        } else {
            "the database URL is not one"
        }));
    };
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(refused(
            "the database URL is not one of PostgreSQL's: it begins with neither postgres:// nor postgresql://",
        ));
    }
    // libpq takes all before an `@` for user and password, if no `/` comes before it.
    if let Some((before, _)) = rest.split_once('@')
        && before.contains('?')
        && !before.contains('/')
    {
        return Err(cut_short());
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    if database.contains('@') {
        return Err(cut_short());
    }
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match user.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (user, None),
    };

    let mut given = Given::default();
    let mut passed: Vec<(String, String)> = Vec::new();
    for (name, value) in [("user", Some(user)), ("password", password), ("dbname", Some(database))] {
        match value {
            Some("") | None => {}
            Some(value) => passed.push((name.into(), decoded(value)?)),
        }
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        match name.as_str() {
            "host" => given.host = Some(value),
            "hostaddr" => given.address = Some(value),
            "port" => given.port = Some(value),
            "target_session_attrs" => given.wanted = Some(value),
            "sslmode" | "ssl-mode" => given.mode = Some(value),
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => given.root = Some(value),
            "sslcert" | "ssl-cert" => given.certificate = Some(value),
            "sslkey" | "ssl-key" => given.key = Some(value),
            "user" | "password" | "dbname" | "options" | "statement-cache-capacity" => passed.push((name, value)),
            other if other.starts_with("options[") => passed.push((name, value)),
            "service" | "servicefile" => return Err(service("`service` in DATABASE_URL")),
            other if changes_nothing(other, &value) => {}
            other => {
                return Err(refused(format!(
                    "the database URL has the parameter `{}`, which is not known here or cannot be honoured",
                    quoted(other, query)?
                )));
            }
        }
    }
    let servers = servers(hosts, &given, &variable)?;
    let attributes = given.wanted.or_else(|| variable("PGTARGETSESSIONATTRS"));
    let wanted = wanted(attributes.as_deref(), query, servers.len())?;
    let mode = match given.mode.or_else(|| variable("PGSSLMODE")) {
        None => Mode::Prefer,
        Some(mode) => match Mode::parse(&mode) {
            Some(mode) => mode,
            None => {
                return Err(refused(format!(
                    "sslmode `{}` is not known; it is disable, prefer, require, verify-ca or verify-full",
                    quoted(&mode, query)?
                )));
            }
        },
    };
    let tls = Tls {
        mode,
        root: given.root.or_else(|| variable("PGSSLROOTCERT")),
        certificate: given.certificate.or_else(|| variable("PGSSLCERT")),
        key: given.key.or_else(|| variable("PGSSLKEY")),
    };
    // For the file of passwords, of which sqlx looks one up.
    passed.push(("host".into(), servers[0].name.clone()));
    passed.push(("port".into(), servers[0].port.to_string()));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(passed).finish();
    let options = PgConnectOptions::from_str(&format!("postgres:///?{query}"));
    let options = options.map_err(|_| refused("the database URL has a parameter with an invalid value"))?;
    Ok(Dsn { servers, wanted, tls, options })
}

#[derive(Default)]
struct Given {
    host: Option<String>,
    address: Option<String>,
    port: Option<String>,
    wanted: Option<String>,
    mode: Option<String>,
    root: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

fn service(what: &str) -> SettingError {
    SettingError::new(
        format!("the database is named by {what}, and service files are not read here"),
        "write what the service's section says into DATABASE_URL: postgres://user@host:5432/database",
    )
}

fn wanted(given: Option<&str>, query: &str, servers: usize) -> Result<Wanted, SettingError> {
    Ok(match given {
        // Who names several has a standby among them, and outboxes are written to.
        None if servers > 1 => Wanted::Primary,
        None | Some("any") => Wanted::Any,
        Some("read-write") => Wanted::ReadWrite,
        Some("read-only") => Wanted::ReadOnly,
        Some("primary") => Wanted::Primary,
        Some("standby") => Wanted::Standby,
        Some(other) => {
            return Err(refused(format!(
                "target_session_attrs `{}` is not known here; it is any, primary, read-write, standby or read-only",
                quoted(other, query)?
            )));
        }
    })
}

fn servers(
    authority: &str,
    given: &Given,
    variable: &dyn Fn(&'static str) -> Option<String>,
) -> Result<Vec<Server>, SettingError> {
    let mut named: Vec<(String, Option<u16>)> = Vec::new();
    for host in authority.split(',').filter(|_| !authority.is_empty()) {
        named.push(host_and_port(host)?);
    }
    let listed = |list: &str| list.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>();
    let port_of_authority = |named: &[(String, Option<u16>)]| named.first().and_then(|(_, port)| *port);
    let fallback = port_of_authority(&named);
    let is_empty = named.iter().all(|(name, _)| name.is_empty());
    if let Some(hosts) = &given.host {
        named = listed(hosts).into_iter().map(|host| (unbracketed(&host), fallback)).collect();
    } else if is_empty && given.address.is_none() {
        if (variable("PGSERVICE").is_some() || variable("PGSERVICEFILE").is_some()) && variable("PGHOST").is_none() {
            return Err(service("PGSERVICE"));
        }
        let hosts = variable("PGHOST").or_else(|| variable("PGHOSTADDR"));
        let hosts = hosts.unwrap_or_else(|| PgConnectOptions::new_without_pgpass().get_host().to_owned());
        named = listed(&hosts).into_iter().map(|host| (unbracketed(&host), fallback)).collect();
    }
    let addresses: Vec<String> = given.address.as_deref().map(listed).unwrap_or_default();
    if named.iter().all(|(name, _)| name.is_empty()) {
        named = addresses.iter().map(|address| (address.clone(), fallback)).collect();
    }
    if !addresses.is_empty() && addresses.len() != named.len() {
        return Err(refused("the database URL names another number of addresses (hostaddr) than of hosts"));
    }
    let ports = match given.port.clone().or_else(|| variable("PGPORT")) {
        None => Vec::new(),
        Some(ports) => listed(&ports).iter().map(|text| port(text)).collect::<Result<Vec<_>, _>>()?,
    };
    if ports.len() > 1 && ports.len() != named.len() {
        return Err(refused("the database URL names another number of ports than of hosts"));
    }
    let mut servers = Vec::new();
    for (at, (name, own_port)) in named.into_iter().enumerate() {
        let listed_port = ports.get(if ports.len() > 1 { at } else { 0 }).copied();
        let address = addresses.get(at).filter(|address| !address.is_empty() && **address != name).cloned();
        if address.as_ref().is_some_and(|address| address.parse::<std::net::IpAddr>().is_err()) {
            return Err(refused("`hostaddr` in the database URL is not an address"));
        }
        if name.is_empty() {
            return Err(refused("the database URL names a host without a name"));
        }
        let port = if given.port.is_some() { listed_port.or(own_port) } else { own_port.or(listed_port) };
        servers.push(Server { name, address, port: port.unwrap_or(5432) });
    }
    Ok(servers)
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), SettingError> {
    let (host, after) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) =
                rest.split_once(']').ok_or_else(|| refused("the database URL has a [ without its ]"))?;
            (address, after)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let given = match after.strip_prefix(':') {
        Some("") => None,
        Some(text) => Some(port(text)?),
        None if after.is_empty() => None,
        None => return Err(refused("the database URL has something between a host's ] and its port")),
    };
    Ok((decoded(host)?, given))
}

fn unbracketed(host: &str) -> String {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned()
}

fn port(text: &str) -> Result<u16, SettingError> {
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
        refused(
            "the database URL has a port that is not one; a `:`, `/` or `@` in a password is written %3A, %2F or %40",
        )
    })
}

/// `%41` is `A`; a plus is a plus, as for libpq.
fn decoded(text: &str) -> Result<String, SettingError> {
    let broken = || {
        refused(
            "the database URL has a % that is not followed by two hexadecimal digits of UTF-8; % itself is written %25",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(broken)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| broken())?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Dsn, String> {
        parse(text, &|_| None).map_err(|error| error.what)
    }

    fn parsed(text: &str) -> String {
        let servers = read(text).unwrap().servers;
        servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn hosts_are_read_as_people_write_them() {
        let table = [
            ("postgres://u@db.example/x", "db.example:5432"),
            ("postgresql://u:p%40s@db.example:6000/x?sslmode=require", "db.example:6000"),
            ("postgres://u@[::1]/x", "[::1]:5432"),
            ("postgres://u@[::1]:6000/x", "[::1]:6000"),
            ("postgres://u@/x?host=/run/postgresql", "/run/postgresql/.s.PGSQL.5432"),
            ("postgres://u@%2Frun%2Fpostgresql:6000/x", "/run/postgresql/.s.PGSQL.6000"),
            ("postgres://u@localhost:5433/x?host=/tmp/a%20b", "/tmp/a b/.s.PGSQL.5433"),
            ("postgres://u@a:1,b:2,c/x", "a:1 b:2 c:5432"),
            ("postgres://u@a,[::2]:7/x?target_session_attrs=read-write", "a:5432 [::2]:7"),
            ("postgres://u@/x?host=a,b&port=1,2", "a:1 b:2"),
            ("postgres://u@/x?host=a,b&port=7", "a:7 b:7"),
            ("postgres://u@db.example/x?hostaddr=10.0.0.1", "db.example:5432 (10.0.0.1)"),
            ("postgres:///x?hostaddr=10.0.0.1", "10.0.0.1:5432"),
            ("postgres://u@/x?host=/tmp/a,/tmp/b", "/tmp/a/.s.PGSQL.5432 /tmp/b/.s.PGSQL.5432"),
        ];
        for (text, expected) in table {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let table = [
            ("host=db.example dbname=x", "key=value"),
            ("db.example", "not one"),
            ("mysql://u@db.example/x", "postgres://"),
            ("postgres://u@db.example/x?service=main", "service"),
            ("postgres://u@db.example/x?sslcrl=/x", "`sslcrl`"),
            ("postgres://u@db.example/x?channel_binding=require", "`channel_binding`"),
            ("postgres://u@db.example/x?sslmode=sure", "`sure`"),
            ("postgres://u@db.example/x?target_session_attrs=prefer-standby", "`prefer-standby`"),
            ("postgres://u:a:b/c@db.example/x", "%3A"),
            ("postgres://u@db.example/x?host=a,b&port=1,2,3", "number of ports"),
            ("postgres://u:100%@db.example/x", "%25"),
            ("postgres://u@[::1/x", "without its ]"),
        ];
        for (text, expected) in table {
            let what = read(text).unwrap_err();
            assert!(what.contains(expected), "{text}: {what}");
        }
        let service = parse("postgres:///x", &|name| (name == "PGSERVICE").then(|| "main".into()));
        assert!(service.unwrap_err().what.contains("PGSERVICE"));
    }

    #[test]
    fn no_refusal_quotes_a_password() {
        let table = [
            "host=db password=hunter",
            "postgres://u:hunter%@db/x",
            "postgres://u:hunter@db:x/x",
            // What ends a password too early.
            "postgres://u:pa?hunter@db/x",
            "postgres://u:pa?hunter=b@db/x",
            "postgres://u:12?options=hunter@db/x",
            "postgres://u:12?sslmode=hunter@db/x",
            "postgres://u:12/hunter@db/x",
            "postgres://u:12/hunter?x=y@db/x",
            "postgres://u:12/pa?hunter@db/x",
            "postgres://u:12/pa?hunter=b@db/x",
            "postgres://u:12/pa?sslmode=hunter@db/x",
            "postgres://u:12/pa?target_session_attrs=hunter@db/x",
            "postgres://u:p@ss/hunter@db/x",
        ];
        for text in table {
            let error = parse(text, &|_| None).err().unwrap_or_else(|| panic!("{text} is read"));
            assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
        }
    }

    #[test]
    fn an_at_sign_may_stand_in_a_parameter() {
        let dsn = read("postgres://db.example/x?user=min@db&password=p@w").unwrap();
        assert_eq!(dsn.options.get_username(), "min@db");
        assert_eq!(dsn.servers[0].to_string(), "db.example:5432");
    }

    #[test]
    fn several_hosts_mean_the_primary() {
        assert_eq!(read("postgres://u@a/x").unwrap().wanted, Wanted::Any);
        assert_eq!(read("postgres://u@a,b/x").unwrap().wanted, Wanted::Primary);
        assert_eq!(read("postgres://u@a,b/x?target_session_attrs=any").unwrap().wanted, Wanted::Any);
    }

    #[test]
    fn who_and_what_reach_sqlx() {
        let dsn = read("postgres://min%20a:p+w@db.example/the%2Fdb?options=-c%20search_path%3Da").unwrap();
        assert_eq!(dsn.options.get_username(), "min a");
        assert_eq!(dsn.options.get_database(), Some("the/db"));
        assert_eq!(dsn.options.get_options(), Some("-c search_path=a"));
    }
}
