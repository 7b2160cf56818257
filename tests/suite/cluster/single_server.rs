//! A server on its own has nothing of a cluster.

use std::fs;

use crate::support::process::Process;

/// The internet sockets of a process, as the system lists them: the local address and port in hexadecimal, and the state.
fn sockets(process: u32) -> Vec<(String, String)> {
    let open: Vec<String> = fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_str()?.to_owned()))
        .collect();
    let is_open = |inode: &str| open.contains(&format!("socket:[{inode}]"));
    let tables = ["tcp", "tcp6", "udp", "udp6"].map(|table| format!("/proc/{process}/net/{table}"));
    let texts: Vec<String> = tables.iter().filter_map(|table| fs::read_to_string(table).ok()).collect();
    let rows = texts.iter().flat_map(|text| text.lines().skip(1)).map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| is_open(row[9])).map(|row| (row[1].to_owned(), row[3].to_owned())).collect()
}

#[test]
fn a_server_without_a_cluster_only_listens_for_its_clients() {
    let home = tempfile::tempdir().unwrap();
    let server = Process::start(&home.path().join("data"));
    let (loopback, listening) = (u32::from_le_bytes([127, 0, 0, 1]), "0A".to_owned());
    let address = format!("{loopback:08X}:{:04X}", server.address().port());
    assert_eq!(sockets(server.id()), [(address, listening)]);
}
