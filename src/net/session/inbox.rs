//! Reading: the inbox and the views of realms (PROTOCOL §4).

use tracing::error;

use crate::chat::{Command, CommandError, ReadPage, Response, State, StoredMessage, TimelineQuery};
use crate::hub::{Backlog, Hub, Ticket};
use crate::id::{RealmId, Seq};
use crate::limits::READ_RETRIES;
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};
use crate::store::{Page, StoreError};
use crate::time::Time;

/// What is read, with a cursor of its own.
#[derive(Clone, Copy)]
enum Inbox {
    /// All that the user received.
    Own,
    /// What crossed realms with one of them.
    Realm(RealmId),
}

/// A page, and when it may be shown.
struct Reading {
    messages: Vec<StoredMessage>,
    more: bool,
    ticket: Ticket,
}

/// A view as of a moment.
enum Opened {
    /// What is new past the cursor.
    New {
        view: TimelineQuery,
        cursor: Seq,
        read_ranges: Vec<(Seq, Seq)>,
        /// The view holds everything up to here.
        head: Seq,
    },
    /// What this same request has read before.
    Again { view: TimelineQuery, more: bool },
}

impl Inbox {
    fn open(self, state: &State, who: Identity) -> Option<Opened> {
        let user = state.user(who.user)?;
        let head = state.head();
        Some(match self {
            Self::Own => Opened::New {
                view: state.inbox(who.user)?,
                cursor: user.cursor,
                read_ranges: user.read_ranges.clone(),
                head,
            },
            Self::Realm(realm) => {
                let view = state.realm_inbox(who.user, realm)?;
                Opened::New { view, cursor: user.realm_cursor(realm), read_ranges: Vec::new(), head }
            }
        })
    }

    fn open_again(self, state: &State, who: Identity, page: &ReadPage) -> Option<Opened> {
        let realm = match self {
            Self::Own => None,
            Self::Realm(realm) => Some(realm),
        };
        Some(Opened::Again { view: state.read_before(who.user, realm, page)?, more: page.more })
    }

    fn move_over(self, who: Identity, from: Seq, upto: Seq) -> Command {
        match self {
            Self::Own => Command::ReadInbox { user: who.user, from, upto },
            Self::Realm(realm) => Command::ReadRealmInbox { user: who.user, realm, from, upto },
        }
    }
}

impl Session {
    pub(super) async fn inbox(&mut self, who: Identity) -> Answer {
        self.hub().record_pushed_as_read(who.user);
        match self.read(who, Inbox::Own).await {
            Ok(Reading { messages, more, ticket }) => Answer::new(Ok(Response::Inbox { messages, more }), ticket),
            Err(error) => error.into(),
        }
    }

    pub(super) async fn realm_inbox(&mut self, who: Identity, name: Name) -> Answer {
        let (realm, ticket) = self.hub().read(|state| state.realm_to_read(&name));
        let Some(realm) = realm else { return Answer::new(Err(CommandError::RealmNotFound), ticket) };
        match self.read(who, Inbox::Realm(realm)).await {
            Ok(Reading { messages, more, ticket }) => Answer::new(Ok(Response::RealmInbox { messages, more }), ticket),
            Err(error) => error.into(),
        }
    }

    /// The inbox as it is, its cursor left where it stands.
    pub(super) async fn peek(&mut self, who: Identity) -> Answer {
        self.hub().record_pushed_as_read(who.user);
        self.wait_for_own_changes().await;
        let (view, ticket) = self.hub().read(|state| state.inbox(who.user));
        let Some(view) = view else { return CommandError::NoSession.into() };
        let read = self.page(view).await;
        Answer::new(read.map(|Page { messages, more, .. }| Response::Inbox { messages, more }), ticket)
    }

    pub(super) fn acknowledge(&self, who: Identity, upto: Seq) -> Answer {
        let executed = self.execute(&Command::Acknowledge { user: who.user, upto });
        let (cursor, _) = self.hub().read(|state| state.user(who.user).map_or(Seq(0), |user| user.cursor));
        Answer::of(executed, |_| Response::Acknowledged(cursor))
    }

    /// Reads a page and moves the cursor over it. Where another connection of the user was faster, reads again, so
    /// that each message is shown once.
    async fn read(&mut self, who: Identity, inbox: Inbox) -> Result<Reading, CommandError> {
        self.wait_for_own_changes().await;
        for _ in 0..READ_RETRIES {
            let (opened, ticket) = self.open(who, inbox)?;
            let (view, cursor, read_ranges, head) = match opened {
                Opened::New { view, cursor, read_ranges, head } => (view, cursor, read_ranges, head),
                Opened::Again { view, more } => {
                    let messages = self.page(view).await?.messages;
                    return Ok(Reading { messages, more, ticket });
                }
            };
            let page = self.page(view).await?;
            if page.messages.is_empty() && !page.more {
                return Ok(Reading { messages: Vec::new(), more: false, ticket });
            }
            let upto = page.upto.min(head);
            let read = ReadPage { after: cursor, upto, read_ranges, more: page.more };
            let command = inbox.move_over(who, cursor, upto);
            let moved = self.hub().execute_once(&command, Some(&self.send_queue), self.once.as_ref(), Some(read));
            match moved.result {
                Ok(_) => {
                    self.note_read_here(who, inbox, upto);
                    return Ok(Reading { messages: page.messages, more: page.more, ticket: moved.ticket });
                }
                Err(CommandError::CursorMoved) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CommandError::Busy)
    }

    /// What a person has read as the inbox is not pushed to the same terminal after all.
    fn note_read_here(&self, who: Identity, inbox: Inbox, upto: Seq) {
        let is_own = self.bound.is_some_and(|bound| bound.who.user == who.user);
        if is_own && matches!(inbox, Inbox::Own) {
            self.send_queue.mark_read(upto);
        }
    }

    fn open(&self, who: Identity, inbox: Inbox) -> Result<(Opened, Ticket), CommandError> {
        let now = Time::now();
        let (opened, ticket) = self.hub().read(|state| {
            let before = self.once.as_ref().map(|once| state.done_before(once, now)).transpose()?;
            let page = before.flatten().and_then(|done| done.page.as_deref());
            let opened = match page {
                Some(page) => inbox.open_again(state, who, page),
                None => inbox.open(state, who),
            };
            opened.ok_or(CommandError::NoSession)
        });
        Ok((opened?, ticket))
    }

    /// What this connection sent itself, to itself perhaps, is to be seen by what it reads next.
    pub(super) async fn wait_for_own_changes(&self) {
        self.send_replies();
        self.send_queue.wait_until_below(Backlog { requests: 1, bytes: usize::MAX }).await;
    }

    async fn page(&self, view: TimelineQuery) -> Result<Page, CommandError> {
        if view.spans.is_empty() {
            return Ok(Page::default());
        }
        let limit = self.policy().inbox_page;
        self.read_store(move |hub| hub.page(&view, limit)).await
    }

    /// Reads from the store, off the threads that serve traffic.
    pub(super) async fn read_store<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Hub) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CommandError> {
        self.hub().read_store(read).await.map_err(|error| {
            error!(%error, "the store could not be read");
            CommandError::StorageFailed
        })
    }
}
