//! Reading again (PROTOCOL §7). It moves no cursor.

use crate::chat::{Conversation, Response};
use crate::id::Seq;
use crate::limits::HISTORY_PAGE;
use crate::net::session::{Answer, Identity, Session};

impl Session {
    pub(super) async fn history(
        &mut self,
        who: Identity,
        conversation: Conversation,
        before: Option<Seq>,
        limit: Option<usize>,
    ) -> Answer {
        self.wait_for_own_changes().await;
        let before = before.unwrap_or(Seq(u64::MAX));
        let (view, ticket) = self.hub().read(|state| state.history(who.user, &conversation, before));
        let view = match view {
            Ok(view) => view,
            Err(error) => return Answer::new(Err(error), ticket),
        };
        let limit = limit.unwrap_or(HISTORY_PAGE).min(self.policy().inbox_page);
        let page = self.read_store(move |hub| hub.newest_page(&view, limit)).await;
        let response = page.map(|page| Response::History { messages: page.messages, before: page.before });
        Answer::new(response, ticket)
    }
}
