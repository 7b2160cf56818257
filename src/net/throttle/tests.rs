use super::*;
use crate::name::Name;

fn account(name: &str) -> LoginTarget {
    LoginTarget::Account(Name::parse(name).unwrap().folded())
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn begun(throttle: &Throttle, target: LoginTarget, address: IpAddr, now: Instant) -> Attempt<'_> {
    throttle.begin(target, address, false, now).unwrap_or_else(|held| panic!("{held:?}"))
}

/// Begins attempts whose passwords are wrong.
fn fails(throttle: &Throttle, target: LoginTarget, address: IpAddr, times: u32, now: Instant) {
    for _ in 0..times {
        begun(throttle, target, address, now).failed(now);
    }
}

#[test]
fn too_many_failures_close_a_name_to_their_address_and_to_no_other() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
    assert!(matches!(throttle.begin(account("messi"), address(1), false, now), Err(Held::Throttled(6))));
    assert!(throttle.begin(account("messi"), address(2), false, now).is_ok());
    assert!(throttle.begin(account("henderson"), address(1), false, now).is_ok());
}

#[test]
fn as_many_attempts_run_in_parallel_as_may_fail_and_others_wait() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    let mut running: Vec<_> =
        (0..FAILURES_PER_TARGET).map(|_| begun(&throttle, account("messi"), address(1), now)).collect();
    let held = || throttle.begin(account("messi"), address(1), false, now).err();
    assert!(matches!(held(), Some(Held::UnderWay(_))));
    running.pop().unwrap().succeeded();
    running.push(begun(&throttle, account("messi"), address(1), now));
    running.into_iter().for_each(|attempt| attempt.failed(now));
    assert!(matches!(held(), Some(Held::Throttled(6))));
    assert!(throttle.waiting().is_empty(), "nobody waits any more");
}

#[test]
fn a_success_ends_the_failures_of_its_name_and_address() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET - 1, now);
    begun(&throttle, account("messi"), address(1), now).succeeded();
    fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
}

#[test]
fn an_attempt_that_was_not_checked_does_not_count() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    for _ in 0..10 * FAILURES_PER_TARGET {
        drop(begun(&throttle, account("messi"), address(1), now));
    }
    fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
}

#[test]
fn failures_at_a_name_from_anywhere_slow_it_down_for_whoever_is_not_known_at_the_address() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    (0..100).for_each(|last| fails(&throttle, account("messi"), address(last), 2, now));
    let delay = |is_known| {
        throttle.begin(account("messi"), address(200), is_known, now).map_or(Duration::MAX, |attempt| attempt.delay)
    };
    assert_eq!((delay(false), delay(true)), (FAILURE_DELAY_MAX, Duration::ZERO));
}

#[test]
fn failures_from_an_address_slow_it_down_and_refuse_nobody() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    for number in 0..400 {
        fails(&throttle, account(&format!("user{number}")), address(1), 1, now);
    }
    assert_eq!(begun(&throttle, account("messi"), address(1), now).delay, FAILURE_DELAY_MAX);
    assert_eq!(begun(&throttle, account("messi"), address(2), now).delay, Duration::ZERO);
}

#[test]
fn a_network_of_ipv6_counts_as_one_address() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    let in_network = |last: u32| format!("2001:db8:1:2::{last:x}").parse().unwrap();
    (0..FAILURES_PER_TARGET).for_each(|last| fails(&throttle, account("messi"), in_network(last), 1, now));
    assert!(throttle.begin(account("messi"), in_network(999), false, now).is_err());
}

#[test]
fn guesses_of_others_do_not_count_against_a_change_of_the_own_password() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
    let own = LoginTarget::Own(Name::parse("messi").unwrap().folded());
    assert!(throttle.begin(own, address(1), true, now).is_ok());
}

#[test]
fn failures_are_forgiven_one_by_one() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
    let later = now + FAILURE_FORGIVEN;
    fails(&throttle, account("messi"), address(1), 1, later);
    assert!(throttle.begin(account("messi"), address(1), false, later).is_err());
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut failures = HashMap::new();
    let now = Instant::now();
    for number in 0..FAILURES_REMEMBERED {
        let address = IpAddr::V4(u32::try_from(number).unwrap().into());
        let count = if number == 7 { 2 } else { 1 };
        failures.insert(ThrottleKey::Address(address), Failures { count, under_way: 0, last_forgiven: now });
    }
    make_room(&mut failures, now);
    assert!(failures.len() <= FAILURES_REMEMBERED / 8 * 7, "{}", failures.len());
    assert!(failures.contains_key(&ThrottleKey::Address(IpAddr::V4(7.into()))), "the worst is still remembered");
}

#[test]
fn whoever_fills_the_table_with_repeated_failures_has_room_made_for_many_at_a_time() {
    let mut failures = HashMap::new();
    let now = Instant::now();
    let key = |number: usize| ThrottleKey::Address(IpAddr::V4(u32::try_from(number).unwrap().into()));
    let times = |count| Failures { count, under_way: 0, last_forgiven: now };
    for number in 0..FAILURES_REMEMBERED {
        failures.insert(key(number), times([1, 3].get(number).copied().unwrap_or(2)));
    }
    let mut passes = 0;
    for number in FAILURES_REMEMBERED..FAILURES_REMEMBERED + 10_000 {
        passes += usize::from(failures.len() >= FAILURES_REMEMBERED);
        row(&mut failures, key(number), now).count = 1;
    }
    assert!(passes < 10 && failures.len() <= FAILURES_REMEMBERED, "{passes}");
    assert!(failures.contains_key(&key(1)), "the worst is still remembered");
}
