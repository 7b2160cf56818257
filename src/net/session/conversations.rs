//! The list of conversations, and their read marks.

use crate::chat::{
    Command, CommandError, Conversation, ConversationPage, ConversationStatus, ConversationSummary, Position, Response,
    State,
};
use crate::id::UserId;
use crate::limits::{CONVERSATIONS, CONVERSATIONS_MAX, MARK_INTERVAL, READ_RETRIES};
use crate::net::session::reply::PendingReply;
use crate::net::session::state::{Acting, Session};
use crate::time::Time;

impl Session {
    pub(super) async fn conversations(&mut self, acting: Acting, limit: Option<usize>) -> PendingReply {
        let user = acting.actor.user;
        self.hub().record_pushed_as_read(user);
        self.wait_for_own_changes().await;
        let limit = limit.unwrap_or(CONVERSATIONS).min(CONVERSATIONS_MAX);
        let Some(query) = self.hub().read(|state| state.conversations(user, limit)).0 else {
            return CommandError::NoSession.into();
        };
        match self.read_store(user, move |hub| hub.conversations(&query)).await {
            Ok(page) => {
                let (list, ticket) = self.hub().read(|state| list(state, page));
                PendingReply::new(Ok(list), ticket)
            }
            Err(error) => error.into(),
        }
    }

    /// Moves a read mark. One that moved a moment ago moves again when its interval is over: until then the request waits.
    /// So few marks are stored, and none that was acknowledged is lost.
    pub(super) async fn mark_read(
        &mut self,
        acting: Acting,
        conversation: Conversation,
        upto: Position,
    ) -> PendingReply {
        let command = Command::MarkRead { conversation: conversation.clone(), upto };
        self.send_replies();
        for _ in 0..READ_RETRIES {
            let acting = Acting { now: Time::now(), ..acting };
            let executed = self.hub().execute_for(&self.context(acting), &command, self.origin(&acting));
            let executed = executed.settled().await;
            if !matches!(executed.result, Err(CommandError::CursorMoved)) {
                return executed.into();
            }
            if let Err(error) = self.unless_gone(self.wait_for_mark(acting.actor.user, &conversation)).await {
                return error.into();
            }
        }
        CommandError::Busy.into()
    }

    async fn wait_for_mark(&self, user: UserId, conversation: &Conversation) {
        let (moved, _) = self.hub().read(|state| state.mark_moved(user, conversation));
        let passed = moved.map_or(MARK_INTERVAL, |moved| Time::now().since(moved));
        tokio::time::sleep(MARK_INTERVAL.saturating_sub(passed)).await;
    }
}

fn list(state: &State, page: ConversationPage) -> Response {
    let summary = |(status, last): (ConversationStatus, _)| {
        let (conversation, name) = state.conversation_names(&status.conversation)?;
        let ConversationStatus { read_upto: mark, unread, unread_more, .. } = status;
        Some(ConversationSummary { conversation, name, mark, unread, unread_more, last })
    };
    Response::Conversations {
        conversations: page.conversations.into_iter().filter_map(summary).collect(),
        more: page.more,
    }
}
