//! Reading: the inbox, the views of realms, and who is there (PROTOCOL §4).

use tracing::error;

use crate::chat::{Command, Outcome, Profile, Refusal, State, StoredMessage, View};
use crate::hub::{Ending, Ticket};
use crate::id::{Seq, UserId};
use crate::limits::{LIST_NAMES, READ_RETRIES};
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};
use crate::store::Page;
use crate::time::Time;

/// A page of a view, and the cursor's move over it.
struct Reading {
    messages: Vec<StoredMessage>,
    more: bool,
    ticket: Ticket,
}

/// A view as of a moment.
struct Opened {
    view: View,
    cursor: Seq,
    /// The view holds everything up to here.
    head: Seq,
}

impl Session {
    pub(super) async fn inbox(&mut self, who: Identity) -> Answer {
        self.hub().note_live_reading(who.user);
        let open = |state: &State| {
            let user = state.user(who.user)?;
            Some(Opened { view: state.inbox(who.user)?, cursor: user.cursor, head: state.head() })
        };
        let move_over = |from, upto| Command::ReadInbox { user: who.user, from, upto };
        match self.read_view(open, move_over).await {
            Ok(read) => {
                Answer { result: Ok(Outcome::Inbox { messages: read.messages, more: read.more }), ticket: read.ticket }
            }
            Err(refusal) => refusal.into(),
        }
    }

    /// The inbox as it is, its cursor left where it stands.
    pub(super) async fn peek(&mut self, who: Identity) -> Answer {
        self.hub().note_live_reading(who.user);
        self.wait_for_own_changes().await;
        let (view, ticket) = self.hub().read(|state| state.inbox(who.user));
        let Some(view) = view else { return Refusal::NoSession.into() };
        let read = self.page(view).await;
        Answer { result: read.map(|Page { messages, more, .. }| Outcome::Inbox { messages, more }), ticket }
    }

    pub(super) fn acknowledge(&self, who: Identity, upto: Seq) -> Answer {
        let executed = self.hub().execute(&Command::Acknowledge { user: who.user, upto }, None);
        let (cursor, _) = self.hub().read(|state| state.user(who.user).map_or(Seq(0), |user| user.cursor));
        Answer::of(executed, |_| Outcome::Acknowledged(cursor))
    }

    pub(super) async fn realm_inbox(&mut self, who: Identity, name: Name) -> Answer {
        let (realm, ticket) = self.hub().read(|state| state.realm_named(&name).map(|(id, _)| id));
        let Some(realm) = realm else { return Answer { result: Err(Refusal::RealmNotFound), ticket } };
        let open = |state: &State| {
            let cursor = state.user(who.user)?.realm_cursor(realm);
            Some(Opened { view: state.realm_inbox(who.user, realm)?, cursor, head: state.head() })
        };
        let move_over = |from, upto| Command::ReadRealmInbox { user: who.user, realm, from, upto };
        match self.read_view(open, move_over).await {
            Ok(read) => Answer {
                result: Ok(Outcome::RealmInbox { messages: read.messages, more: read.more }),
                ticket: read.ticket,
            },
            Err(refusal) => refusal.into(),
        }
    }

    /// Reads a page and moves the cursor over it. Where another connection of the user was faster, reads again, so
    /// that each message is shown once.
    async fn read_view(
        &mut self,
        open: impl Fn(&State) -> Option<Opened>,
        move_over: impl Fn(Seq, Seq) -> Command,
    ) -> Result<Reading, Refusal> {
        self.wait_for_own_changes().await;
        for _ in 0..READ_RETRIES {
            let (opened, ticket) = self.hub().read(&open);
            let Opened { view, cursor, head } = opened.ok_or(Refusal::NoSession)?;
            if view.spans.is_empty() {
                return Ok(Reading { messages: Vec::new(), more: false, ticket });
            }
            let page = self.page(view).await?;
            if page.messages.is_empty() {
                return Ok(Reading { messages: Vec::new(), more: false, ticket });
            }
            let upto = page.upto.min(head);
            let moved = self.hub().execute(&move_over(cursor, upto), None);
            match moved.result {
                Ok(_) => {
                    self.outbox.skip_to(upto);
                    return Ok(Reading { messages: page.messages, more: page.more, ticket: moved.ticket });
                }
                Err(Refusal::CursorMoved) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Err(Refusal::Busy)
    }

    /// What this connection sent itself, to itself perhaps, is to be seen by what it reads next.
    pub(super) async fn wait_for_own_changes(&self) {
        self.send_replies();
        while !self.outbox.has_left(|waiting| waiting.requests == 0) && self.outbox.ending() != Some(Ending::Gone) {
            self.outbox.woken().await;
        }
    }

    async fn page(&self, view: View) -> Result<Page, Refusal> {
        let (hub, limit) = (self.hub().clone(), self.policy().inbox_page);
        let reading = tokio::task::spawn_blocking(move || hub.page(&view, limit));
        match reading.await {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(error)) => {
                error!(%error, "the store could not be read");
                Err(Refusal::StorageFailed)
            }
            Err(_) => Err(Refusal::Busy),
        }
    }

    pub(super) fn active(&self) -> Answer {
        let online = self.hub().online(LIST_NAMES);
        let (names, ticket) = self.hub().read(|state| {
            let name = |id: UserId| Some(state.user(id)?.name.clone());
            online.into_iter().filter_map(name).collect()
        });
        Answer { result: Ok(Outcome::Active(names)), ticket }
    }

    pub(super) fn whoami(&self, who: Identity) -> Answer {
        let (profile, ticket) = self.hub().read(|state| self.profile(state, who.user));
        Answer { result: profile.map(Outcome::Whoami).ok_or(Refusal::NoSession), ticket }
    }

    pub(super) fn info(&self, name: &Name) -> Answer {
        let (profile, ticket) = self.hub().read(|state| {
            let (id, _) = state.user_named(name)?;
            self.profile(state, id)
        });
        Answer { result: profile.map(Outcome::Info).ok_or(Refusal::UserNotFound), ticket }
    }

    fn profile(&self, state: &State, id: UserId) -> Option<Profile> {
        let user = state.user(id)?;
        let online = self.hub().is_online(id);
        let last_seen = if online { Some(Time::now()) } else { self.hub().last_seen(id).max(user.seen) };
        Some(Profile {
            user: user.name.clone(),
            full_name: user.full_name.clone(),
            country: user.country.clone(),
            realm: state.home()?.clone(),
            online,
            last_seen,
        })
    }
}
