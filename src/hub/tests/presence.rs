//! What the watchers of presence are told.

use super::*;
use crate::limits::PRESENCE_PUSHES;

const NEKO: UserId = UserId(1);

/// A hub on which messi watches neko.
struct Watched {
    test: TestHub,
    watcher: Arc<RecordingWriter>,
    _watching: Arc<SendQueue>,
    session: SessionId,
}

impl Watched {
    fn new() -> Self {
        let mut test = TestHub::new();
        test.hub.execute_as_server(&register("neko")).result.unwrap();
        let session = session_of(&test.hub, NEKO);
        let (watcher, watching) = test.listener();
        watch(&test.hub, &watching);
        Self { test, watcher, _watching: watching, session }
    }

    fn comes(&self) -> Arc<SendQueue> {
        let send_queue = Arc::new(SendQueue::new(Arc::new(RecordingWriter::default()), ReplyFormat::Json));
        self.test.hub.attach(NEKO, self.session, true, &send_queue);
        send_queue
    }

    fn comes_and_goes(&self) {
        self.test.hub.detach(NEKO, &self.comes());
    }

    /// The states of neko that the watcher was told since the last call.
    fn told(&self) -> Vec<bool> {
        states(&take(&self.watcher))
    }

    fn told_at_the_end_of_the_period(&self) -> Vec<bool> {
        self.test.hub.begin_presence_period();
        self.told()
    }
}

fn session_of(hub: &Hub, user: UserId) -> SessionId {
    let token = Token::random().hash();
    let session = NewSession { token, ephemeral: false, origin: [127, 0, 0, 1].into() };
    let verified = PasswordHash("$hash".into());
    let command = Command::OpenSession { user, verified, session, uses: Vec::new() };
    hub.execute_as_server(&command).result.unwrap();
    hub.read(|state| state.session_of(&token).unwrap().0).0
}

fn watch(hub: &Hub, watching: &Arc<SendQueue>) {
    let topics = Topics { presence: true, ..Topics::default() };
    assert!(hub.listen(UserId(0), watching, hub.delivered(), topics));
}

fn states(heard: &str) -> Vec<bool> {
    let frames = heard.split("\r\n\r\n").filter(|frame| !frame.is_empty());
    let state = |frame: &str| {
        [true, false]
            .into_iter()
            .find(|online| frame == format!(r#"{{"event":"presence","data":{{"user":"neko","online":{online}}}}}"#))
    };
    frames.map(|frame| state(frame).unwrap_or_else(|| panic!("{frame}"))).collect()
}

#[test]
fn who_comes_and_goes_in_a_loop_is_told_of_twice_in_a_period_and_then_of_the_last_state() {
    let watched = Watched::new();
    (0..50).for_each(|_| watched.comes_and_goes());
    let here = watched.comes();
    assert_eq!(watched.told(), [true, false]);
    assert_eq!(watched.told_at_the_end_of_the_period(), [true]);
    watched.test.hub.detach(NEKO, &here);
    (0..50).for_each(|_| watched.comes_and_goes());
    assert_eq!(watched.told(), [false]);
    assert_eq!(watched.told_at_the_end_of_the_period(), [false]);
    assert!(watched.told_at_the_end_of_the_period().is_empty(), "nothing changed");
    watched.comes_and_goes();
    assert_eq!(watched.told(), [true, false]);
}

#[test]
fn a_state_is_told_again_if_it_changed_and_changed_back() {
    let watched = Watched::new();
    watched.comes_and_goes();
    let here = watched.comes();
    // Who asks now who is online, or begins to watch, sees neko there.
    let (other, watching) = watched.test.listener_of(session_of(&watched.test.hub, UserId(0)));
    watch(&watched.test.hub, &watching);
    watched.test.hub.detach(NEKO, &here);
    assert_eq!(watched.told(), [true, false]);
    assert_eq!(watched.told_at_the_end_of_the_period(), [false]);
    assert_eq!(states(&take(&other)), [false]);
}

#[test]
fn past_the_bound_of_a_period_all_wait_for_its_end() {
    let mut notices = crate::hub::presence_notices::PresenceNotices::default();
    assert!(notices.is_told_at_once(UserId(1), &name("neko"), true, PRESENCE_PUSHES));
    assert!(!notices.is_told_at_once(UserId(2), &name("paff"), true, PRESENCE_PUSHES));
    assert!(!notices.is_told_at_once(UserId(2), &name("paff"), false, PRESENCE_PUSHES));
    notices.begin_period();
    assert_eq!(notices.take_waiting(9), [(UserId(2), name("paff"))]);
    assert!(notices.is_told_at_once(UserId(2), &name("paff"), true, PRESENCE_PUSHES));
}

#[test]
fn users_past_the_bound_of_an_end_of_a_period_wait_in_turn_for_the_next_ones() {
    let mut notices = crate::hub::presence_notices::PresenceNotices::default();
    let come = |notices: &mut crate::hub::presence_notices::PresenceNotices, users: std::ops::Range<u64>| {
        users.for_each(|user| notices.defer(UserId(user), name("neko")));
        notices.begin_period();
    };
    let ids = |users: Vec<(UserId, Name)>| users.into_iter().map(|(user, _)| user.0).collect::<Vec<_>>();
    come(&mut notices, 0..3);
    let first = ids(notices.take_waiting(1));
    come(&mut notices, 0..4);
    let mut told = [first.clone(), ids(notices.take_waiting(2)), ids(notices.take_waiting(9))].concat();
    assert_eq!(told[..3].iter().filter(|user| **user < 3).count(), 3, "those who came first: {told:?}");
    told.sort_unstable();
    let mut expected = [vec![0, 1, 2, 3], first].concat();
    expected.sort_unstable();
    assert_eq!(told, expected, "each once, and who came again after it once more");
    assert!(notices.take_waiting(9).is_empty());
}

#[test]
fn whoever_has_left_or_unsubscribed_watches_no_more_and_whoever_subscribes_twice_watches_once() {
    let test = TestHub::new();
    let session = session_of(&test.hub, UserId(0));
    let watching: Vec<_> = (0..100).map(|_| test.listener_of(session).1).collect();
    let count = || test.hub.0.presence().watchers.len();
    for _ in 0..2 {
        watching.iter().for_each(|send_queue| watch(&test.hub, send_queue));
    }
    assert_eq!(count(), 100);
    watching[..30].iter().for_each(|send_queue| test.hub.end_subscription(send_queue));
    assert_eq!(count(), 70);
    assert!(test.hub.listen(UserId(0), &watching[30], test.hub.delivered(), Topics::default()));
    assert_eq!(count(), 69);
    test.hub.attach(UserId(0), session, false, &watching[31]);
    assert_eq!(count(), 68, "a log-in ends a subscription");
    watching.iter().for_each(|send_queue| test.hub.detach(UserId(0), send_queue));
    assert_eq!(count(), 0);
}

#[test]
fn many_users_are_told_of_at_the_end_of_a_period() {
    let mut test = TestHub::new();
    let users: Vec<UserId> = (1..200).map(UserId).collect();
    let sessions: Vec<SessionId> = users
        .iter()
        .map(|user| {
            test.hub.execute_as_server(&register(&format!("user{}", user.0))).result.unwrap();
            session_of(&test.hub, *user)
        })
        .collect();
    let (watcher, watching) = test.listener();
    watch(&test.hub, &watching);
    for _ in 0..2 {
        for (user, session) in users.iter().zip(&sessions) {
            let send_queue = Arc::new(SendQueue::new(Arc::new(RecordingWriter::default()), ReplyFormat::Json));
            test.hub.attach(*user, *session, true, &send_queue);
            test.hub.detach(*user, &send_queue);
        }
    }
    assert_eq!(take(&watcher).matches("presence").count(), 2 * users.len());
    test.hub.begin_presence_period();
    assert_eq!(take(&watcher).matches(r#""online":false"#).count(), users.len());
}

#[test]
fn users_whose_sessions_a_failed_commit_took_back_are_told_to_be_gone() {
    let mut watched = Watched::new();
    watched.test.full.store(true, Ordering::Relaxed);
    watched.session = session_of(&watched.test.hub, NEKO);
    let _here = watched.comes();
    assert_eq!(watched.told(), [true]);
    assert_eq!(watched.test.committer.step(), Step::Failed);
    assert!(!watched.test.hub.is_online(NEKO));
    assert_eq!(watched.told_at_the_end_of_the_period(), [false]);
}
