//! Where this machine keeps PostgreSQL's server programs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::ClusterError;
use super::account::command;

/// The oldest PostgreSQL that the migrations run on.
pub const VERSION_MIN: u32 = 14;

const TOOLS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Parent directory, how its entries start, and where below them the programs are.
const PLACES: [(&str, &str, &str); 10] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/lib64", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/usr/local", "pgsql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// One installation of the server.
#[derive(Clone, Debug)]
pub struct Binaries {
    directory: PathBuf,
    major: u32,
}

impl Binaries {
    /// The installation to use: `wanted`'s major version if there is data of that version already, else the first on
    /// `PATH`, by `pg_config`, or in the usual places, newest first.
    pub fn find(wanted: Option<(u32, &Path)>) -> Result<Self, ClusterError> {
        let mut seen = HashSet::new();
        let found: Vec<Self> = directories()
            .into_iter()
            .filter_map(|directory| directory.canonicalize().ok())
            .filter(|directory| seen.insert(directory.clone()))
            .filter_map(|directory| Some(Self { major: version(&directory)?, directory }))
            .collect();
        let Some(newest) = found.iter().max_by_key(|one| one.major) else { return Err(ClusterError::NoServer) };
        if newest.major < VERSION_MIN {
            return Err(ClusterError::TooOld { found: newest.major, directory: newest.directory.clone() });
        }
        if let Some((major, directory)) = wanted {
            return found.iter().find(|one| one.major == major).cloned().ok_or_else(|| ClusterError::OtherVersion {
                made_by: major,
                found: newest.major,
                directory: directory.to_owned(),
            });
        }
        found.into_iter().find(|one| one.major >= VERSION_MIN).ok_or(ClusterError::NoServer)
    }

    /// The path of one of the programs.
    #[must_use]
    pub fn tool(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

fn directories() -> Vec<PathBuf> {
    let mut all = Vec::new();
    for directory in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        // Often a link from a directory that holds nothing else of PostgreSQL.
        if let Some(parent) = directory.join("initdb").canonicalize().ok().as_deref().and_then(Path::parent) {
            all.push(parent.to_owned());
        }
    }
    let config = command("pg_config").arg("--bindir").output();
    if let Some(output) = config.ok().filter(|output| output.status.success()) {
        all.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    let mut usual = Vec::new();
    for (parent, start, below) in PLACES {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(start) {
                usual.push(if below.is_empty() { entry.path() } else { entry.path().join(below) });
            }
        }
    }
    usual.retain(|directory| has_tools(directory));
    usual.sort_by_cached_key(|directory| std::cmp::Reverse(version(directory)));
    all.retain(|directory| has_tools(directory));
    all.extend(usual);
    all
}

fn has_tools(directory: &Path) -> bool {
    TOOLS.iter().all(|tool| directory.join(tool).is_file())
}

/// The major version that `postgres --version` names.
fn version(directory: &Path) -> Option<u32> {
    let output = command(directory.join("postgres")).arg("--version").output().ok()?;
    major_of(&String::from_utf8_lossy(&output.stdout))
}

fn major_of(text: &str) -> Option<u32> {
    let (_, behind) = text.split_once("(PostgreSQL)")?;
    let digits: String = behind.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        let table = [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 9.6.24", Some(9)),
            ("postgres (PostgreSQL) 19devel", Some(19)),
            ("postgres (PostgreSQL)", None),
            ("bash: postgres: command not found", None),
        ];
        for (text, major) in table {
            assert_eq!(major_of(text), major, "{text}");
        }
    }

    #[test]
    fn data_of_a_version_that_is_not_installed_is_refused() {
        let refused = Binaries::find(Some((8, Path::new("/var/lib/old"))));
        assert!(
            matches!(refused, Err(ClusterError::OtherVersion { made_by: 8, .. } | ClusterError::NoServer)),
            "{refused:?}"
        );
    }
}
