use super::*;

const SECOND: u64 = 1_000_000_000;
const MESSI: UserId = UserId(7);

fn rate(most: u64, seconds: u64) -> Option<Rate> {
    Some(Rate { most, period: Duration::from_secs(seconds) })
}

#[test]
fn a_bucket_holds_a_period_and_fills_as_time_passes() {
    let (bucket, rate) = (Bucket::default(), rate(10, 100));
    (0..10).for_each(|_| bucket.take(rate, 1, 0).unwrap());
    assert_eq!(bucket.take(rate, 1, 0), Err(Duration::from_secs(10)));
    assert_eq!(bucket.take(rate, 3, 10 * SECOND), Err(Duration::from_secs(20)));
    bucket.take(rate, 1, 10 * SECOND).unwrap();
    bucket.give_back(rate, 1);
    bucket.take(rate, 1, 10 * SECOND).unwrap();
}

#[test]
fn what_is_larger_than_a_bucket_is_taken_from_a_full_one() {
    let (bucket, rate) = (Bucket::default(), rate(10, 100));
    bucket.take(rate, 25, 0).unwrap();
    assert_eq!(bucket.take(rate, 1, 100 * SECOND), Err(Duration::from_secs(60)));
}

#[test]
fn no_limit_limits_nothing() {
    assert_eq!(Bucket::default().take(None, u64::MAX, 0), Ok(()));
}

fn budgets(messages: u64, bytes: u64) -> Budgets {
    let day = 24 * 3600;
    Budgets::new(Rates { messages: [None, rate(messages, day)], bytes: [None, rate(bytes, day)], ..Rates::default() })
}

#[test]
fn connections_of_a_user_share_a_budget() {
    let budgets = budgets(1_000, 1 << 30);
    let mut credits = [budgets.credit(MESSI), budgets.credit(MESSI)];
    let sent = (0..3_000).filter(|number| budgets.take_from(&mut credits[number % 2], 1).is_ok()).count();
    assert_eq!(sent, 1_000);
    let error = budgets.take_from(&mut credits[0], 1).unwrap_err();
    assert!(error.retry_after().is_some_and(|seconds| (80..=87).contains(&seconds)), "{error:?}");
    assert!(budgets.take_from(&mut budgets.credit(UserId(8)), 1).is_ok());
}

#[test]
fn bytes_are_limited_like_messages() {
    let budgets = budgets(1 << 30, 1_000_000);
    let mut credit = budgets.credit(MESSI);
    let sent = (0..2_000).filter(|_| budgets.take_from(&mut credit, 1_000).is_ok()).count();
    assert_eq!(sent, 1_000);
}

#[test]
fn what_is_pipelined_behind_a_refused_message_does_not_overtake_it() {
    let budgets = budgets(1 << 30, 1_000_000);
    let mut credit = budgets.credit(MESSI);
    budgets.take_from(&mut credit, 990_000).unwrap();
    budgets.take_from(&mut credit, 20_000).unwrap_err();
    assert!(matches!(budgets.take_from(&mut credit, 1), Err(CommandError::SlowDown(_))));
    assert!(budgets.take_from(&mut budgets.credit(MESSI), 1).is_ok(), "there is room for it on another connection");
}

#[test]
fn what_is_pipelined_is_refused_for_as_long_as_the_client_was_told() {
    let budgets = Budgets::new(Rates { messages: [rate(20, 1), None], ..Rates::default() });
    let mut credit = budgets.credit(MESSI);
    while budgets.take_from(&mut credit, 1).is_ok() {}
    let rest = Duration::from_nanos(credit.refused_until - budgets.now());
    assert!(rest > Duration::from_millis(500), "there is room again after 50 ms, but the client waits {rest:?}");
}

#[test]
fn registrations_are_limited_by_address() {
    let budgets = Budgets::new(Rates { registrations: rate(3, 24 * 3600), ..Rates::default() });
    let register = |address: &str| budgets.take_registration(address.parse().unwrap());
    (0..3).for_each(|last| register(&format!("2001:db8:1:2::{last}")).unwrap());
    assert!(matches!(register("2001:db8:1:2::9"), Err(CommandError::SlowDown(_))));
    register("2001:db8:1:3::9").unwrap();
    for here in ["127.0.0.1", "::1"] {
        (0..9).for_each(|_| register(here).unwrap());
    }
}

#[test]
fn credit_that_is_not_used_is_given_back() {
    let budgets = budgets(1_000, 1 << 30);
    for _ in 0..500 {
        let mut credit = budgets.credit(MESSI);
        budgets.take_from(&mut credit, 1).unwrap();
        budgets.give_back(&mut credit);
    }
    let mut credit = budgets.credit(MESSI);
    assert_eq!((0..1_000).filter(|_| budgets.take_from(&mut credit, 1).is_ok()).count(), 500);
}

#[test]
fn a_reader_that_is_used_all_the_time_by_one_user_must_pause() {
    let budgets = budgets(1, 1);
    let budget = budgets.of(MESSI);
    budgets.record_reading(&budget, READING_BURST * 2);
    assert!(matches!(budgets.check_reading(&budget), Err(CommandError::SlowDown(_))));
    assert_eq!(budgets.check_reading(&budgets.of(UserId(8))), Ok(()));
}

#[test]
fn only_budgets_that_are_not_full_are_remembered() {
    let budgets = budgets(1_000, 1_000);
    budgets.take_from(&mut budgets.credit(MESSI), 1).unwrap();
    (0..BUDGETS_REMEMBERED as u64).for_each(|user| drop(budgets.of(UserId(100 + user))));
    let users = budgets.users.lock().unwrap();
    assert!(users.len() <= BUDGETS_REMEMBERED && users.get(&MESSI).is_some(), "{}", users.len());
}
