//! The random actions of a run.

pub(super) const SERVERS: usize = 3;

#[derive(Debug)]
pub(super) enum Action {
    Send { from: usize, to: usize, to_group: bool, to_unknown: bool },
    Wait(u64),
    Cut(usize),
    Silence(usize),
    Partition(usize, usize),
    Heal,
    Crash(usize),
    Start(usize),
    BackUp(usize),
    Restore(usize),
}

pub(super) fn random_action(random: &mut fastrand::Rng) -> Action {
    let server = random.usize(..SERVERS);
    let other = (server + random.usize(1..SERVERS)) % SERVERS;
    match random.u8(..100) {
        0..60 => {
            Action::Send { from: server, to: other, to_group: random.u8(..5) == 0, to_unknown: random.u8(..8) == 0 }
        }
        60..79 => Action::Wait(random.u64(1..300)),
        // May exceed `LINK_DEAD`.
        79..82 => Action::Wait(random.u64(1..20_000)),
        82..85 => Action::Cut(server),
        85..87 => Action::Silence(random.usize(..)),
        87..89 => Action::Partition(server, other),
        89..91 => Action::Heal,
        91..94 => Action::Crash(server),
        94..97 => Action::Start(server),
        97..99 => Action::BackUp(server),
        _ => Action::Restore(server),
    }
}
