//! Reading pages from the store: the inbox, the views of realms, history (PROTOCOL §4, §7).

use std::time::Instant;

use tracing::error;

use crate::chat::{Command, CommandError, Conversation, ReadPage, Response, State, StoredMessage, TimelineQuery};
use crate::hub::{Backlog, Executed, Hub, Ticket};
use crate::id::{RealmId, Seq, UserId};
use crate::limits::{HISTORY_PAGE, INBOX_PAGE_MAX, READ_RETRIES};
use crate::name::Name;
use crate::net::session::reply::PendingReply;
use crate::net::session::state::{Acting, Session};
use crate::store::{Page, StoreError};

/// A view with a cursor of its own.
#[derive(Clone, Copy)]
enum InboxKind {
    Own,
    Realm(RealmId),
}

/// A page, and when it may be shown.
struct InboxPage {
    messages: Vec<StoredMessage>,
    more: bool,
    /// The store did not take that they were read: the cursor is where it was.
    is_unread: bool,
    ticket: Ticket,
}

/// A view of the state's moment, to be read from the store.
enum OpenInbox {
    /// The messages past the cursor.
    New {
        query: TimelineQuery,
        cursor: Seq,
        read_ranges: Vec<(Seq, Seq)>,
        /// The query covers everything up to here.
        head: Seq,
    },
    /// The page that the same request has read before.
    Again { query: TimelineQuery, more: bool },
}

impl InboxKind {
    fn open(self, state: &State, id: UserId) -> Option<OpenInbox> {
        let user = state.user(id)?;
        let head = state.head();
        Some(match self {
            Self::Own => {
                let read_ranges = user.read_ranges.clone();
                OpenInbox::New { query: state.inbox(id)?, cursor: user.cursor, read_ranges, head }
            }
            Self::Realm(realm) => {
                let (query, cursor) = (state.realm_inbox(id, realm)?, user.realm_cursor(realm));
                OpenInbox::New { query, cursor, read_ranges: Vec::new(), head }
            }
        })
    }

    fn open_again(self, state: &State, id: UserId, page: &ReadPage) -> Option<OpenInbox> {
        let realm = match self {
            Self::Own => None,
            Self::Realm(realm) => Some(realm),
        };
        Some(OpenInbox::Again { query: state.read_before(id, realm, page)?, more: page.more })
    }

    fn move_cursor(self, from: Seq, upto: Seq) -> Command {
        match self {
            Self::Own => Command::ReadInbox { from, upto },
            Self::Realm(realm) => Command::ReadRealmInbox { realm, from, upto },
        }
    }
}

impl Session {
    pub(super) async fn inbox(&mut self, acting: Acting) -> PendingReply {
        self.hub().record_pushed_as_read(acting.actor.user);
        match self.read(acting, InboxKind::Own).await {
            Ok(InboxPage { messages, more, is_unread, ticket }) => {
                PendingReply::new(Ok(Response::Inbox { messages, more, is_unread }), ticket)
            }
            Err(error) => error.into(),
        }
    }

    pub(super) async fn realm_inbox(&mut self, acting: Acting, name: Name) -> PendingReply {
        let (realm, ticket) = self.hub().read(|state| state.realm_to_read(&name));
        let Some(realm) = realm else { return PendingReply::new(Err(CommandError::RealmNotFound), ticket) };
        match self.read(acting, InboxKind::Realm(realm)).await {
            Ok(InboxPage { messages, more, is_unread, ticket }) => {
                PendingReply::new(Ok(Response::Page { messages, more, is_unread, before: None }), ticket)
            }
            Err(error) => error.into(),
        }
    }

    /// The inbox without moving its cursor.
    pub(super) async fn peek(&mut self, acting: Acting) -> PendingReply {
        self.hub().record_pushed_as_read(acting.actor.user);
        self.wait_for_own_changes().await;
        let (query, ticket) = self.hub().read(|state| state.inbox(acting.actor.user));
        let Some(query) = query else { return CommandError::NoSession.into() };
        let page = self.page(acting.actor.user, query, self.policy().inbox_page).await;
        PendingReply::new(
            page.map(|Page { messages, more, .. }| Response::Inbox { messages, more, is_unread: false }),
            ticket,
        )
    }

    /// Moves no cursor.
    pub(super) async fn history(
        &mut self,
        acting: Acting,
        conversation: Option<Conversation>,
        before: Option<Seq>,
        limit: Option<usize>,
    ) -> PendingReply {
        self.wait_for_own_changes().await;
        let before = before.unwrap_or(Seq(u64::MAX));
        let (query, ticket) = self.hub().read(|state| state.history(acting.actor.user, conversation.as_ref(), before));
        let query = match query {
            Ok(query) => query,
            Err(error) => return PendingReply::new(Err(error), ticket),
        };
        let limit = limit.unwrap_or(HISTORY_PAGE).min(self.policy().inbox_page);
        let page = self.read_store(acting.actor.user, move |hub| hub.newest_page(&query, limit)).await;
        let response = page.map(|page| {
            let more = page.before.is_some();
            Response::Page { messages: page.messages, more, is_unread: false, before: page.before }
        });
        PendingReply::new(response, ticket)
    }

    /// Reads a page and moves the cursor over it. If another connection of the user was faster, reads again, so that each
    /// message is shown once.
    async fn read(&mut self, acting: Acting, kind: InboxKind) -> Result<InboxPage, CommandError> {
        self.wait_for_own_changes().await;
        for _ in 0..READ_RETRIES {
            let (opened, ticket) = self.open(&acting, kind)?;
            let (query, cursor, read_ranges, head) = match opened {
                OpenInbox::New { query, cursor, read_ranges, head } => (query, cursor, read_ranges, head),
                OpenInbox::Again { query, more } => {
                    let messages = self.page(acting.actor.user, query, INBOX_PAGE_MAX).await?.messages;
                    return Ok(InboxPage { messages, more, is_unread: false, ticket });
                }
            };
            let (hides, limit) = (!query.hidden.is_empty(), self.policy().inbox_page);
            let page = self.page(acting.actor.user, query, limit).await?;
            if page.messages.is_empty() && !page.more {
                return Ok(InboxPage { messages: Vec::new(), more: false, is_unread: false, ticket });
            }
            let upto = page.upto.min(head);
            let mut read = ReadPage { after: cursor, upto, read_ranges, more: page.more };
            if hides && acting.key.is_some() {
                read.keep_only(page.messages.iter().map(|message| message.seq));
            }
            let command = kind.move_cursor(cursor, upto);
            let moved = self.hub().execute_read(&self.context(acting), &command, self.origin(&acting), read);
            let Page { messages, more, .. } = page;
            match self.stored(moved).await {
                Ok(ticket) => {
                    self.skip_pushes(acting, kind, upto);
                    return Ok(InboxPage { messages, more, is_unread: false, ticket });
                }
                Err(CommandError::CursorMoved) => {}
                // The messages are on the disk, whatever becomes of the cursor.
                Err(error) if error.is_of_the_store() => {
                    return Ok(InboxPage { messages, more, is_unread: true, ticket: Ticket::NONE });
                }
                Err(error) => return Err(error),
            }
        }
        Err(CommandError::Busy)
    }

    /// The ticket of a change, once it is durable.
    pub(super) async fn stored(&self, executed: Executed) -> Result<Ticket, CommandError> {
        self.send_replies();
        let executed = executed.settled().await;
        executed.result?;
        self.hub().stored(executed.ticket).await.map(|()| executed.ticket)
    }

    /// Messages that were read as the inbox are not pushed to the same text connection afterwards.
    fn skip_pushes(&self, acting: Acting, kind: InboxKind, upto: Seq) {
        if self.is_own(acting.actor) && matches!(kind, InboxKind::Own) {
            self.send_queue.mark_read(upto);
        }
    }

    fn open(&self, acting: &Acting, kind: InboxKind) -> Result<(OpenInbox, Ticket), CommandError> {
        let user = acting.actor.user;
        let (opened, ticket) = self.hub().read(|state| {
            let done = acting.key.as_ref().map(|key| state.completed_request(key, acting.now.paced())).transpose()?;
            let page = done.flatten().and_then(|done| done.page.as_deref());
            let opened = match page {
                Some(page) => kind.open_again(state, user, page),
                None => kind.open(state, user),
            };
            opened.ok_or(CommandError::NoSession)
        });
        Ok((opened?, ticket))
    }

    /// Waits until this connection's own changes are durable: the next read is to show them.
    pub(super) async fn wait_for_own_changes(&self) {
        self.send_replies();
        self.send_queue.wait_until_below(Backlog { requests: 1, bytes: usize::MAX }).await;
    }

    pub(super) async fn page(&self, user: UserId, query: TimelineQuery, limit: usize) -> Result<Page, CommandError> {
        if query.spans.is_empty() {
            return Ok(Page::default());
        }
        let page = self.read_store(user, move |hub| hub.page(&query, limit)).await?;
        // The reply of an inbox has each message twice.
        self.server.admission.note_page(page.messages.iter().map(|message| 2 * message.body.size()).sum());
        Ok(page)
    }

    pub(super) async fn read_store<T: Send + 'static>(
        &self,
        user: UserId,
        read: impl FnOnce(&Hub) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CommandError> {
        let budgets = &self.server.budgets;
        let budget = budgets.of(user);
        budgets.check_reading(&budget)?;
        let _place = budget.reads.acquire().await.map_err(|_| CommandError::Busy)?;
        let timed = move |hub: &Hub| {
            let begun = Instant::now();
            read(hub).map(|read| (read, begun.elapsed()))
        };
        let (read, spent) = self.hub().read_store(timed).await.map_err(|error| {
            if let Some(left_out) = self.server.logged_reads.allows((), Instant::now()) {
                error!(%error, left_out, "the store could not be read");
            }
            CommandError::StorageFailed
        })?;
        budgets.record_reading(&budget, spent);
        Ok(read)
    }
}
