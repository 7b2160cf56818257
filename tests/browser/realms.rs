//! People of two servers.

use crate::server::Server;
use crate::webdriver::Driver;

#[test]
fn servers_are_linked_on_the_page_and_their_people_talk() {
    let (barat, timur) = (
        Server::start_with("[server]\nrealm = \"barat\"\n[realms]\naccept = \"loopback\"\n"),
        Server::start_with("[server]\nrealm = \"timur\"\n[realms]\naccept = \"loopback\"\n"),
    );
    let driver = Driver::start();
    let (alice, bob) = (driver.open(1200, 760), driver.open(1200, 760));
    alice.registers(&barat, "alice");
    bob.registers(&timur, "bob");
    alice.opens_settings("Servers");
    alice.types("details[open] form input", "timur");
    alice.types("details[open] form .field:nth-of-type(2) input", "127.0.0.1");
    alice.types("details[open] form .field:nth-of-type(3) input", &timur.json.port().to_string());
    alice.presses_button("Add");
    alice.wait_for(
        "document.querySelector('.link-state.up') && document.querySelector('.rows').innerText.includes('linked')",
    );
    alice.closes_dialogs();
    alice.opens("bob@timur");
    alice.says("halo timur");
    alice.sees(&["halo timur"]);
    bob.opens("alice@barat");
    bob.sees(&["halo timur"]);
    bob.says("halo barat");
    alice.sees(&["halo timur", "halo barat"]);
    alice.opens_settings("Servers");
    alice.run("[...document.querySelectorAll('.rows button')].at(-1).click()");
    alice.presses_button("Remove");
    alice.wait_for("document.querySelectorAll('.rows li').length === 1");
    alice.is_clean();
}
