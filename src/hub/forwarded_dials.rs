//! Servers that users of other nodes want to be linked. The leader dials them, which takes a while: such a command is decided
//! later than those that came after it.

use crate::chat::{Command, CommandError, Context, ForwardId, Receipt, State};
use crate::hub::dials::WantedDial;
use crate::hub::forwarded_command::{ForwardAnswer, ForwardedCommand, UnchangedOutcome};
use crate::hub::shared::{Hub, Shared};
use crate::time::Time;

impl Hub {
    /// As the leader: the next server to dial.
    pub(crate) async fn next_dial(&self) -> WantedDial {
        self.0.dials.next().await
    }

    /// A dial is over. If the server is linked now, the log says so before this answer does.
    pub(crate) fn end_dial(&self, term: u64, forward: ForwardId, result: Result<(), CommandError>) {
        if term != self.0.forwards.terms() {
            // It was forwarded again since, to the leader of the next term.
            return;
        }
        let (at, _) = self.read(State::head);
        let unchanged = |()| UnchangedOutcome::Unchanged(Receipt { seq: at, time: Time::now() });
        let outcome = result.map_or_else(UnchangedOutcome::Failed, unchanged);
        let answer = ForwardAnswer { number: forward.number, outcome, at };
        self.0.presence().elsewhere().tell_answer(forward.process, answer);
        // Not before: who asks again in between gets the answer, or is told that the log has it.
        self.0.dials.end(forward);
    }

    /// As the leader: answers that another node is to be told, of commands that took a while.
    pub(crate) fn answer_news(&self, node: u64) -> Vec<ForwardAnswer> {
        self.0.presence().elsewhere().take_answers(node)
    }
}

impl Shared {
    /// Has a server dialled for a command that was forwarded, unless it is known already what becomes of that.
    pub(super) fn begin_dial(&self, forward: ForwardId, forwarded: ForwardedCommand) -> Option<UnchangedOutcome> {
        let ForwardedCommand { user: Some(by), session, key, command: Command::AddPeer { name, address, .. }, .. } =
            forwarded
        else {
            return Some(UnchangedOutcome::Failed(CommandError::NoSession));
        };
        let policy = self.policy.load();
        let context = Context { user: Some(by), session, policy: &policy, ..Context::server(Time::now()) };
        let allowed = {
            let state = self.read_state();
            let done = key.map_or(Ok(None), |key| state.completed_request(&key, context.paced));
            done.and_then(|done| context.may_add_realms(&state).map(|()| done.is_some()))
        };
        match allowed {
            Err(error) => Some(UnchangedOutcome::Failed(error)),
            Ok(true) => Some(UnchangedOutcome::DoneBefore),
            Ok(false) => self
                .dials
                .begin(WantedDial { term: self.forwards.terms(), forward, by, name, address, key })
                .err()
                .map(UnchangedOutcome::Failed),
        }
    }
}
