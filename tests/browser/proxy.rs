//! The page behind a proxy, under a path.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::server::Server;
use crate::webdriver::Driver;

const BASE: &str = "/rumah/kabar";

#[test]
fn the_page_works_under_any_path_of_a_proxy() {
    let (server, driver) = (Server::start(), Driver::start());
    let proxy = start_proxy(server.web);
    let url = format!("http://{proxy}{BASE}/");
    let (alice, bob) = (driver.open(1200, 760), driver.open(1200, 760));
    bob.registers_at(&url, "bob");
    alice.registers_at(&url, "alice");
    alice.opens("bob");
    alice.says("halo");
    alice.sees(&["halo"]);
    bob.opens("alice");
    bob.sees(&["halo"]);
    alice.is_clean();
    let outside =
        "return performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/rumah/kabar/')).length";
    assert_eq!(alice.run(outside), 0);
}

/// Takes the base path off, and passes everything else on; one request for each connection.
fn start_proxy(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(move || pass_on(client?, server));
        }
    });
    address
}

fn pass_on(mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let Some(rest) = head.strip_prefix(&format!("GET {BASE}/")) else {
        return client.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    };
    let head = format!("GET /{rest}");
    let head = head.replace("Connection: keep-alive", "Connection: close");
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(head.as_bytes())?;
    let (mut from_client, mut to_server) = (client.try_clone()?, upstream.try_clone()?);
    thread::spawn(move || {
        let copied = io::copy(&mut from_client, &mut to_server);
        to_server.shutdown(Shutdown::Write).and(copied.map(drop))
    });
    io::copy(&mut upstream, &mut client)?;
    client.shutdown(Shutdown::Both)
}
