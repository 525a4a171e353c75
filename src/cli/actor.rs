//! Who sits at this terminal, for the audit log.

use nix::unistd::{Uid, User};

use crate::domain::audit::{Actor, Origin};
use crate::text::plain;

/// The login behind this process: the one that used `sudo` if one did, and the address that an SSH session came from.
#[must_use]
pub fn operator(origin: Origin) -> Actor {
    let own = User::from_uid(Uid::current()).ok().flatten().map(|user| user.name);
    let login = own.unwrap_or_else(|| format!("uid {}", Uid::current()));
    let sudo = std::env::var("SUDO_USER").ok().filter(|user| !user.is_empty() && *user != login);
    let ssh = std::env::var("SSH_CONNECTION").ok().and_then(|line| line.split(' ').next().map(ToOwned::to_owned));
    let mut name = match sudo {
        Some(user) => format!("{user} as {login}"),
        None => login,
    };
    if let Some(address) = ssh.filter(|address| !address.is_empty()) {
        name = format!("{name} from {address}");
    }
    let name: String = plain(&name).as_str().chars().take(200).collect();
    Actor::new(name, origin)
}
