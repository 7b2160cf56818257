//! Unsent messages of `kabar chat`, kept for the next one: a file for each running chat, in the directory `unsent`.
//!
//! A chat holds a lock on its file, so that no message belongs to two chats.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kabar::client::private_file::{self, FileError};
use serde::{Deserialize, Serialize};

use crate::cli::client::credentials::SavedSession;

/// A message that the server has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnsentMessage {
    /// The server accepts one message with this tag, however often it is sent.
    pub(crate) tag: String,
    /// The name of a conversation.
    pub(crate) to: String,
    pub(crate) text: String,
    /// When it could first have reached the server, in seconds since 1970.
    pub(crate) tried: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    server: String,
    user: String,
    messages: Vec<UnsentMessage>,
}

/// The file of one chat. It exists while something is unsent.
#[derive(Debug)]
pub(crate) struct UnsentFile {
    path: PathBuf,
    server: String,
    user: String,
    locked: Option<File>,
}

/// A file of a chat that has ended.
struct Left {
    path: PathBuf,
    messages: Vec<UnsentMessage>,
    _locked: File,
}

impl UnsentFile {
    pub(crate) fn new(directory: &Path, session: &SavedSession) -> Self {
        let path = directory.join(format!("{}.json", uuid::Uuid::new_v4().simple()));
        Self { path, server: session.server.clone(), user: session.user.clone(), locked: None }
    }

    /// Moves the messages that earlier chats of the same user left to this file. A file for whose messages `has_room` (a
    /// count, and bytes of text) returns false stays.
    pub(crate) fn take_over(
        &mut self,
        has_room: impl Fn(usize, usize) -> bool,
    ) -> Result<Vec<UnsentMessage>, FileError> {
        let (mut taken, mut tags, mut bytes, mut over) = (Vec::new(), BTreeSet::new(), 0, Vec::new());
        for left in self.left()? {
            let left_bytes: usize = left.messages.iter().map(|message| message.text.len()).sum();
            if !has_room(taken.len() + left.messages.len(), bytes + left_bytes) {
                continue;
            }
            bytes += left_bytes;
            // The chat that moved them last may have been killed before it removed the old file.
            taken.extend(left.messages.iter().filter(|message| tags.insert(message.tag.clone())).cloned());
            over.push(left);
        }
        self.keep(&taken.iter().collect::<Vec<_>>())?;
        for left in over {
            remove(&left.path)?;
        }
        Ok(taken)
    }

    /// Replaces the content of the file.
    pub(crate) fn keep(&mut self, messages: &[&UnsentMessage]) -> Result<(), FileError> {
        if messages.is_empty() {
            self.locked = None;
            return remove(&self.path);
        }
        let messages = messages.iter().map(|message| (*message).clone()).collect();
        let content = Content { server: self.server.clone(), user: self.user.clone(), messages };
        let text = serde_json::to_string(&content).map_err(|error| FileError::of(&self.path, error.into()))?;
        self.locked = Some(private_file::write_locked(&self.path, &text)?);
        Ok(())
    }

    /// Deletes the files that earlier chats of the user left.
    pub(crate) fn forget_left(&self) -> Result<(), FileError> {
        self.left()?.iter().try_for_each(|left| remove(&left.path))
    }

    /// The files of this user's ended chats, the oldest first.
    fn left(&self) -> Result<Vec<Left>, FileError> {
        let Some(directory) = self.path.parent() else { return Ok(Vec::new()) };
        let mut paths = match fs::read_dir(directory) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect::<Vec<_>>(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(FileError::of(directory, error)),
        };
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort_by_key(|path| fs::metadata(path).and_then(|found| found.modified()).ok());
        let mut left = Vec::new();
        for path in paths {
            left.extend(self.read_left(path)?);
        }
        Ok(left)
    }

    /// `None` if the chat still runs, or is another user's.
    fn read_left(&self, path: PathBuf) -> Result<Option<Left>, FileError> {
        let Some(locked) = lock(&path).map_err(|error| FileError::of(&path, error))? else { return Ok(None) };
        let Some(text) = private_file::read(&path)? else { return Ok(None) };
        let content: Content = serde_json::from_str(&text).map_err(|error| FileError::of(&path, error.into()))?;
        let is_ours = content.server == self.server && content.user.eq_ignore_ascii_case(&self.user);
        Ok(is_ours.then_some(Left { path, messages: content.messages, _locked: locked }))
    }
}

/// `None` if a chat holds the lock, or has replaced or removed the file meanwhile.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if file.try_lock().is_err() {
        return Ok(None);
    }
    let inode = file.metadata()?.ino();
    Ok(fs::metadata(path).is_ok_and(|current| current.ino() == inode).then_some(file))
}

fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::of(path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(home: &tempfile::TempDir, user: &str) -> UnsentFile {
        let session = SavedSession { server: "a:1".into(), user: user.into(), token: "t".into() };
        UnsentFile::new(&home.path().join("unsent"), &session)
    }

    fn message(tag: &str) -> UnsentMessage {
        UnsentMessage { tag: tag.into(), to: "neko".into(), text: "halo".into(), tried: None }
    }

    fn take_over(file: &mut UnsentFile) -> Vec<String> {
        let taken = file.take_over(|count, _| count <= 2).unwrap();
        taken.into_iter().map(|message| message.tag).collect()
    }

    #[test]
    fn the_next_chat_of_the_user_takes_over_what_is_left() {
        let home = tempfile::tempdir().unwrap();
        let mut first = file(&home, "messi");
        first.keep(&[&message("1"), &message("2")]).unwrap();
        assert!(take_over(&mut file(&home, "messi")).is_empty(), "the first one still runs");
        drop(first);
        assert!(take_over(&mut file(&home, "neko")).is_empty(), "it is another one's");
        let mut next = file(&home, "Messi");
        assert_eq!(take_over(&mut next), ["1", "2"]);
        drop(next);
        let mut last = file(&home, "messi");
        assert_eq!(take_over(&mut last), ["1", "2"], "it was kept by who took it over");
        last.keep(&[]).unwrap();
        assert_eq!(fs::read_dir(home.path().join("unsent")).unwrap().count(), 0);
    }

    #[test]
    fn a_message_in_two_files_is_taken_once() {
        let home = tempfile::tempdir().unwrap();
        file(&home, "messi").keep(&[&message("1")]).unwrap();
        file(&home, "messi").keep(&[&message("1")]).unwrap();
        assert_eq!(take_over(&mut file(&home, "messi")), ["1"]);
        assert_eq!(fs::read_dir(home.path().join("unsent")).unwrap().count(), 1);
    }

    #[test]
    fn what_has_no_room_stays_where_it_is() {
        let home = tempfile::tempdir().unwrap();
        file(&home, "messi").keep(&[&message("1"), &message("2")]).unwrap();
        file(&home, "messi").keep(&[&message("3")]).unwrap();
        assert_eq!(take_over(&mut file(&home, "messi")).len(), 2);
        assert_eq!(fs::read_dir(home.path().join("unsent")).unwrap().count(), 2);
    }

    #[test]
    fn it_is_for_the_owner_only_and_a_damaged_one_is_named() {
        let home = tempfile::tempdir().unwrap();
        let mut first = file(&home, "messi");
        first.keep(&[&message("1")]).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&first.path), mode(&home.path().join("unsent"))), (0o600, 0o700));
        let damaged = home.path().join("unsent/0.json");
        fs::write(&damaged, "{").unwrap();
        let error = file(&home, "messi").take_over(|_, _| true).unwrap_err();
        assert!(error.to_string().starts_with(damaged.to_str().unwrap()), "{error}");
    }
}
