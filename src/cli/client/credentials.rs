//! The user's sessions, in `$XDG_CONFIG_HOME/kabar` or `~/.config/kabar`, for the owner only.

use std::env;
use std::error::Error;
use std::path::PathBuf;

use kabar::client::{BadAddress, KnownServers, Login, ServerAddress, private_file};
use serde::{Deserialize, Serialize};

/// The directory with the files of this program's user.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    directory: PathBuf,
}

/// A session that `kabar login` opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedSession {
    pub(crate) server: String,
    pub(crate) user: String,
    pub(crate) token: String,
}

impl SavedSession {
    pub(crate) fn address(&self) -> Result<ServerAddress, BadAddress> {
        self.server.parse()
    }

    fn is_of(&self, server: &str, user: &str) -> bool {
        self.server == server && self.user.eq_ignore_ascii_case(user)
    }
}

impl Credentials {
    /// # Errors
    /// If the environment names neither directory.
    pub(crate) fn find() -> Result<Self, Box<dyn Error>> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
        let base = base.ok_or("neither XDG_CONFIG_HOME nor HOME is set: nowhere to look for a token")?;
        Ok(Self { directory: base.join("kabar") })
    }

    pub(crate) fn known_servers(&self) -> KnownServers {
        KnownServers::at(self.directory.join("known_servers"))
    }

    /// Where each running chat keeps what it could not send.
    pub(crate) fn unsent(&self) -> PathBuf {
        self.directory.join("unsent")
    }

    /// The newest session at a server, if one is named, of a user, if one is named.
    pub(crate) fn session(
        &self,
        server: Option<&ServerAddress>,
        user: Option<&str>,
    ) -> Result<Option<SavedSession>, Box<dyn Error>> {
        let server = server.map(ToString::to_string);
        let fits = |session: &SavedSession| {
            server.as_ref().is_none_or(|server| *server == session.server)
                && user.is_none_or(|user| user.eq_ignore_ascii_case(&session.user))
        };
        Ok(self.read()?.into_iter().rev().find(fits))
    }

    /// Keeps a session, in place of another one of the same user there.
    pub(crate) fn save(&self, server: &ServerAddress, login: &Login) -> Result<(), Box<dyn Error>> {
        let server = server.to_string();
        let mut sessions = self.read()?;
        sessions.retain(|session| !session.is_of(&server, &login.user));
        sessions.push(SavedSession { server, user: login.user.clone(), token: login.token.clone() });
        self.write(&sessions)
    }

    pub(crate) fn forget(&self, session: &SavedSession) -> Result<(), Box<dyn Error>> {
        let mut sessions = self.read()?;
        sessions.retain(|saved| saved != session);
        self.write(&sessions)
    }

    fn path(&self) -> PathBuf {
        self.directory.join("sessions.json")
    }

    fn read(&self) -> Result<Vec<SavedSession>, Box<dyn Error>> {
        let path = self.path();
        let text = private_file::read(&path)?;
        let Some(text) = text else { return Ok(Vec::new()) };
        Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
    }

    fn write(&self, sessions: &[SavedSession]) -> Result<(), Box<dyn Error>> {
        let text = serde_json::to_string_pretty(sessions)? + "\n";
        Ok(private_file::write(&self.path(), &text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_session_that_fits_is_found() {
        let home = tempfile::tempdir().unwrap();
        let credentials = Credentials { directory: home.path().to_owned() };
        let (here, there): (ServerAddress, ServerAddress) = ("a:1".parse().unwrap(), "b:1".parse().unwrap());
        let login = |user: &str, token: &str| Login { user: user.into(), token: token.into() };
        credentials.save(&here, &login("messi", "1")).unwrap();
        credentials.save(&there, &login("neko", "2")).unwrap();
        credentials.save(&here, &login("Messi", "3")).unwrap();
        let token = |server, user| credentials.session(server, user).unwrap().map(|session| session.token);
        assert_eq!(token(None, None).as_deref(), Some("3"));
        assert_eq!(token(Some(&there), None).as_deref(), Some("2"));
        assert_eq!(token(None, Some("MESSI")).as_deref(), Some("3"));
        assert_eq!(token(Some(&there), Some("messi")), None);
        credentials.forget(&credentials.session(None, None).unwrap().unwrap()).unwrap();
        assert_eq!(token(None, None).as_deref(), Some("2"));
    }
}
