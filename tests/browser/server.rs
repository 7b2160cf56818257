//! The program, which can be killed and started again at the same address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::webdriver::{Browser, ENTER};

pub(crate) struct Server {
    child: Option<Child>,
    address: SocketAddr,
    directory: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut server = Self { child: None, address: free_address(), directory: TempDir::new().unwrap() };
        server.start_again();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.child = Some(spawn(self.address, self.directory.path()));
        while std::net::TcpStream::connect(self.address).is_err() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

fn spawn(web: SocketAddr, directory: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
    command.args(["--listen", "127.0.0.1:0", "--listen-text", "none", "--web", &web.to_string(), "--data"]);
    command.arg(directory.join("data")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Below the ephemeral ports, so that the system gives the port to no other socket while the server is down.
fn free_address() -> SocketAddr {
    loop {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(20_000..30_000)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// What a person does on the page.
impl Browser<'_> {
    #[track_caller]
    pub(crate) fn registers(&self, server: &Server, user: &str) {
        self.go(&server.url());
        self.clicks(".login .other button");
        self.types("input[name=username]", user);
        self.types("input[name=password]", &format!("rahasia{ENTER}"));
        self.wait_for("document.querySelector('.shell')");
    }

    /// Opens a conversation with the switcher.
    #[track_caller]
    pub(crate) fn opens(&self, name: &str) {
        self.clicks(".sidebar header button");
        self.types(".switcher input", name);
        self.wait_for(&format!(
            "document.querySelector('.switcher [aria-selected=true]')?.textContent.includes('{name}')"
        ));
        self.types(".switcher input", ENTER);
        self.wait_for(&format!("document.querySelector('.conversation-head h2').textContent === '{name}'"));
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        self.types(".composer textarea", &format!("{text}{ENTER}"));
    }

    /// Waits until the log shows these texts, in this order and no other, all of them sent.
    #[track_caller]
    pub(crate) fn sees(&self, texts: &[&str]) {
        let shown = "[...document.querySelectorAll('.message > p')].map((text) => text.textContent)";
        let expected = serde_json::json!(texts);
        self.wait_for(&format!(
            "JSON.stringify({shown}) === JSON.stringify({expected}) && !document.querySelector('.sending, .pending')"
        ));
    }
}
