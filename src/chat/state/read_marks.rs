//! Read marks in the state. Accounts that use none cost nothing.

use crate::chat::model::conversation::{ConversationId, ReadMark};
use crate::chat::state::tables::State;
use crate::id::{Seq, UserId};
use crate::time::Time;

impl State {
    /// The user's marks, in the order of the conversations. Some may be behind the inbox cursor.
    #[must_use]
    pub fn read_marks(&self, user: UserId) -> &[ReadMark] {
        self.marks.get(&user).map_or(&[], Vec::as_slice)
    }

    /// The user's mark in a conversation.
    #[must_use]
    pub fn read_mark(&self, user: UserId, conversation: &ConversationId) -> Option<&ReadMark> {
        let marks = self.read_marks(user);
        let place = marks.binary_search_by(|mark| mark.conversation.cmp(conversation)).ok()?;
        marks.get(place)
    }

    /// How far a user has read a conversation: the mark, or the inbox cursor if that is newer.
    #[must_use]
    pub fn conversation_read_upto(&self, user: UserId, conversation: &ConversationId) -> Seq {
        let cursor = self.user(user).map_or(Seq(0), |user| user.cursor);
        self.read_mark(user, conversation).map_or(cursor, |mark| mark.upto.max(cursor))
    }

    /// Marks that the inbox cursor has passed mean nothing any more, and are dropped.
    pub(super) fn move_mark(&mut self, user: UserId, conversation: ConversationId, upto: Seq, time: Time) {
        let cursor = self.user(user).map_or(Seq(0), |user| user.cursor);
        let marks = self.marks.entry(user).or_default();
        marks.retain(|mark| mark.upto > cursor && mark.conversation != conversation);
        let place = marks.partition_point(|mark| mark.conversation < conversation);
        marks.insert(place, ReadMark { conversation, upto, time });
    }

    pub(super) fn drop_marks(&mut self, user: UserId) {
        self.marks.remove(&user);
    }
}
