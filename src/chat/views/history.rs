//! Reading again: a conversation, or all of them, whatever the cursors say (PROTOCOL §7).

use serde::{Deserialize, Serialize};

use crate::chat::error::CommandError;
use crate::chat::model::conversation::ConversationId;
use crate::chat::model::realm::Route;
use crate::chat::model::timeline::Timeline;
use crate::chat::model::user::User;
use crate::chat::state::State;
use crate::chat::views::inbox::{Filter, SeqRange, TimelineQuery};
use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::name::{Address, Name};

/// A conversation, as a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conversation {
    /// With one other user, both directions.
    User(Address),
    /// In a group, while the reader was a member.
    Group(Address),
    /// Broadcasts.
    Broadcast,
    /// Messages of this server itself.
    Server,
}

impl State {
    /// The messages with numbers below `before` of a conversation, or everything that the user received and sent. An
    /// address with a realm means the messages that crossed it.
    ///
    /// # Errors
    /// No such user, group or realm, or the reader was never in the group.
    pub fn history(
        &self,
        id: UserId,
        conversation: Option<&Conversation>,
        before: Seq,
    ) -> Result<TimelineQuery, CommandError> {
        let user = self.active_user(id)?;
        let found = conversation.map(|conversation| self.conversation(user, conversation)).transpose()?;
        let own = Timeline::User(id);
        let (timeline, peer, only) = match found {
            None => (None, None, None),
            Some(ConversationId::User(peer)) => (Some(own), Some(peer), None),
            Some(ConversationId::Group(group)) => (Some(Timeline::Group(group)), None, None),
            Some(ConversationId::Broadcast) => (Some(Timeline::Broadcast), None, None),
            Some(
                only @ (ConversationId::RemoteUser(..) | ConversationId::RemoteGroup(..) | ConversationId::Server),
            ) => (Some(own), Some(UserId::NOBODY), Some(only)),
        };
        let newest = Seq(before.0.saturating_sub(1));
        let spans = self
            .timelines_of(id, user, Seq(0))
            .filter(|span| timeline.is_none_or(|wanted| span.timeline == wanted))
            .map(|span| SeqRange { upto: span.upto.min(newest), ..span })
            .filter(|span| span.after < span.upto)
            .collect();
        let filter = Filter::Said { peer, realm: conversation.and_then(|conversation| self.crossed(conversation)) };
        Ok(TimelineQuery { reader: id, spans, filter, hidden: user.blocks.clone(), only })
    }

    /// The conversation that a request names.
    pub(in crate::chat) fn conversation(
        &self,
        user: &User,
        conversation: &Conversation,
    ) -> Result<ConversationId, CommandError> {
        Ok(match conversation {
            Conversation::User(Address { name, realm }) => match self.route(realm.as_ref())? {
                Route::Local(_) => {
                    let (peer, _) = self.name_owner(name).ok_or(CommandError::UserNotFound)?;
                    ConversationId::User(peer)
                }
                Route::Remote(realm, ..) => ConversationId::RemoteUser(realm, name.folded()),
            },
            Conversation::Group(Address { name, realm }) => match self.route(realm.as_ref())? {
                Route::Local(_) => ConversationId::Group(self.group_ever_joined(user, name)?),
                Route::Remote(realm, ..) => ConversationId::RemoteGroup(realm, name.folded()),
            },
            Conversation::Broadcast => ConversationId::Broadcast,
            Conversation::Server => ConversationId::Server,
        })
    }

    /// The realm that the address of a conversation has.
    fn crossed(&self, conversation: &Conversation) -> Option<RealmId> {
        let (Conversation::User(address) | Conversation::Group(address)) = conversation else { return None };
        Some(self.realm_named(address.realm.as_ref()?)?.0)
    }

    /// The newest group of that name that the user was ever in.
    fn group_ever_joined(&self, user: &User, name: &Name) -> Result<GroupId, CommandError> {
        let key = name.folded();
        let has_the_name = |id: &GroupId| self.group(*id).is_some_and(|group| group.name.folded() == key);
        let once_in = user.memberships.iter().rev().map(|membership| membership.group).find(has_the_name);
        let error =
            || if self.group_named(name).is_some() { CommandError::NotMember } else { CommandError::GroupNotFound };
        once_in.ok_or_else(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, address, hash, name};

    const END: Seq = Seq(u64::MAX);

    fn in_fans() -> Conversation {
        Conversation::Group(address("fans"))
    }

    fn say(fixture: &mut Fixture) -> Seq {
        fixture.does(MESSI, &Command::SendGroup { to: address("fans"), text: "halo".into() });
        fixture.state.head()
    }

    fn spans(fixture: &Fixture, user: UserId) -> Vec<(Timeline, Seq)> {
        let view = fixture.state.history(user, Some(&in_fans()), END).unwrap();
        view.spans.iter().map(|span| (span.timeline, span.upto)).collect()
    }

    #[test]
    fn the_history_of_a_group_covers_only_the_memberships_of_the_reader() {
        let mut fixture = Fixture::new();
        let first = say(&mut fixture);
        fixture.does(PAFF, &Command::LeaveGroup { group: name("fans") });
        let left = fixture.state.head();
        say(&mut fixture);
        fixture.does(PAFF, &Command::JoinGroup { group: name("fans"), verified: None });
        let joined = fixture.state.head();
        let last = say(&mut fixture);
        let view = fixture.state.history(PAFF, Some(&in_fans()), END).unwrap();
        let covered = |seq: Seq| view.spans.iter().any(|span| span.after < seq && seq <= span.upto);
        assert!(covered(first) && covered(last));
        assert!((left.0 + 1..=joined.0).all(|seq| !covered(Seq(seq))));
    }

    #[test]
    fn nothing_at_or_past_the_given_number_is_read() {
        let mut fixture = Fixture::new();
        let said = say(&mut fixture);
        let spans = |before| fixture.state.history(PAFF, None, before).unwrap().spans;
        assert!(spans(said).iter().all(|span| span.upto < said));
        assert!(spans(said.next()).iter().any(|span| span.upto == said));
        assert!(spans(Seq(0)).is_empty());
    }

    #[test]
    fn a_name_means_its_newest_group_that_the_reader_was_in() {
        let mut fixture = Fixture::new();
        let said = say(&mut fixture);
        fixture.does(MESSI, &Command::DeleteGroup { group: name("fans") });
        let of_old = [(Timeline::Group(GroupId(0)), said)];
        assert_eq!(spans(&fixture, MESSI), of_old);
        fixture.does(MESSI, &Command::CreateGroup { name: name("fans"), password: None });
        assert_eq!(spans(&fixture, MESSI), [], "a new group shows nothing of its predecessor");
        assert_eq!(spans(&fixture, PAFF), of_old, "and nothing to users who are not in it");
    }

    #[test]
    fn a_conversation_that_does_not_exist_or_was_never_joined_is_refused() {
        let mut fixture = Fixture::new();
        fixture.does(MESSI, &Command::CreateGroup { name: name("alone"), password: None });
        fixture.does(NEKO, &Command::Unregister { verified: hash("old") });
        for (conversation, error) in [
            (Conversation::User(address("nobody")), Some(CommandError::UserNotFound)),
            (Conversation::User(address("messi@timur")), Some(CommandError::RealmNotFound)),
            (Conversation::User(address("neko")), None),
            (Conversation::Group(address("nothing")), Some(CommandError::GroupNotFound)),
            (Conversation::Group(address("alone")), Some(CommandError::NotMember)),
            (Conversation::Group(address("fans@timur")), Some(CommandError::RealmNotFound)),
        ] {
            assert_eq!(fixture.state.history(PAFF, Some(&conversation), END).err(), error, "{conversation:?}");
        }
        assert_eq!(fixture.state.history(NEKO, None, END).err(), Some(CommandError::NoSession));
    }
}
