//! What is done in a run: mostly talk, and now and then something breaks.

use crate::federation::simulation::world::SERVERS;

#[derive(Debug)]
pub(super) enum Deed {
    Send { from: usize, to: usize, to_group: bool, nobody: bool },
    Wait(u64),
    Cut(usize),
    Silence(usize),
    Part(usize, usize),
    Heal,
    Crash(usize),
    Start(usize),
    BackUp(usize),
    Restore(usize),
}

pub(super) fn deed(random: &mut fastrand::Rng) -> Deed {
    let server = random.usize(..SERVERS);
    let other = (server + random.usize(1..SERVERS)) % SERVERS;
    match random.u8(..100) {
        0..60 => Deed::Send { from: server, to: other, to_group: random.u8(..5) == 0, nobody: random.u8(..8) == 0 },
        60..79 => Deed::Wait(random.u64(1..300)),
        // Long enough for a link to be given up.
        79..82 => Deed::Wait(random.u64(1..20_000)),
        82..85 => Deed::Cut(server),
        85..87 => Deed::Silence(random.usize(..)),
        87..89 => Deed::Part(server, other),
        89..91 => Deed::Heal,
        91..94 => Deed::Crash(server),
        94..97 => Deed::Start(server),
        97..99 => Deed::BackUp(server),
        _ => Deed::Restore(server),
    }
}
