//! People who talk to each other on the page.

use crate::server::Server;
use crate::webdriver::Driver;

#[test]
fn two_people_talk_and_nothing_is_markup() {
    let (server, driver) = (Server::start(), Driver::start());
    let (alice, bob) = (driver.open(1200, 760), driver.open(390, 760));
    bob.registers(&server, "bob");
    alice.registers(&server, "alice");
    alice.opens("bob");
    let markup = "<img src=x onerror=alert(1)> <b>b</b> </p><script>alert(2)</script>";
    alice.says(markup);
    alice.says("a\u{202E}b https://example.org/x.");
    alice.sees(&[markup, "aU+202Eb https://example.org/x."]);
    bob.run("document.querySelector('.conversation-head .menu').click()");
    bob.clicks(".sidebar [data-key=alice] button");
    bob.sees(&[markup, "aU+202Eb https://example.org/x."]);
    assert_eq!(bob.run("return document.querySelectorAll('.log img, .log script, .log p b').length"), 0);
    assert_eq!(bob.run("return document.querySelector('.log a').href"), "https://example.org/x");
    bob.says("halo juga");
    alice.sees(&[markup, "aU+202Eb https://example.org/x.", "halo juga"]);
    assert_eq!(bob.run("return document.documentElement.scrollWidth <= innerWidth"), true);
    for browser in [&alice, &bob] {
        assert_eq!(browser.console_errors(), [""; 0]);
        let others = "return performance.getEntries().map(({ name }) => name).filter((name) => name.includes('://') && !name.startsWith(location.origin)).length";
        assert_eq!(browser.run(others), 0);
    }
}

#[test]
fn what_is_typed_while_the_server_is_down_is_sent_once() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let (alice, bob) = (driver.open(1200, 760), driver.open(1200, 760));
    bob.registers(&server, "bob");
    alice.registers(&server, "alice");
    alice.opens("bob");
    alice.says("sebelum");
    alice.sees(&["sebelum"]);
    bob.opens("alice");
    bob.sees(&["sebelum"]);
    server.kill();
    alice.wait_for("!document.querySelector('.banner').hidden");
    alice.says("selama");
    alice.wait_for("document.querySelector('.message.pending')");
    server.start_again();
    alice.sees(&["sebelum", "selama"]);
    bob.sees(&["sebelum", "selama"]);
    alice.wait_for("document.querySelector('.banner').hidden");
    alice.says("sesudah");
    bob.sees(&["sebelum", "selama", "sesudah"]);
    alice.go(&server.url());
    alice.opens("bob");
    alice.sees(&["sebelum", "selama", "sesudah"]);
}

#[test]
fn earlier_messages_come_while_the_reader_scrolls_up() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open(1200, 760);
    alice.registers(&server, "alice");
    alice.opens("Everyone");
    let fill = "const socket = new WebSocket(location.href.replace('http', 'ws') + 'ws');
        socket.onopen = () => {
            socket.send('register filler rahasia');
            for (let number = 0; number < 600; number += 1) socket.send(`send alice pesan ${number}`);
            socket.send('quit');
        };";
    alice.run(fill);
    alice.wait_for("document.querySelector('.sidebar [data-key=filler] .preview')?.textContent === 'pesan 599'");
    alice.go(&server.url());
    alice.opens("filler");
    alice.wait_for("document.querySelector('.message:last-child p')?.textContent === 'pesan 599'");
    alice.wait_for(
        "(document.querySelector('.log').scrollTop = 0, document.querySelectorAll('.message').length === 600)",
    );
    let in_order = "return [...document.querySelectorAll('.message p')].every((text, place) => text.textContent === `pesan ${place}`)";
    assert_eq!(alice.run(in_order), true);
}

#[test]
fn a_session_that_is_ended_elsewhere_leads_to_the_login() {
    let (server, driver) = (Server::start(), Driver::start());
    let (here, there) = (driver.open(1200, 760), driver.open(1200, 760));
    here.registers(&server, "alice");
    there.go(&server.url());
    there.types("input[name=username]", "alice");
    there.types("input[name=password]", &format!("rahasia{}", crate::webdriver::ENTER));
    there.clicks(".me button");
    there.clicks(".sessions li button");
    there.wait_for("document.querySelectorAll('.sessions li').length === 1");
    here.says("halo");
    here.wait_for("document.querySelector('.login .notice')?.textContent");
}
