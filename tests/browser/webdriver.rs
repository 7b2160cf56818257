//! A client of chromedriver: JSON over HTTP (W3C WebDriver), as much of it as the tests need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long a test waits for what must come. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often chromedriver is started until it has a port.
const ATTEMPTS: usize = 5;
/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Keys that have no character.
pub(crate) const ENTER: &str = "\u{E007}";
pub(crate) const TAB: &str = "\u{E004}";
pub(crate) const ESCAPE: &str = "\u{E00C}";
pub(crate) const DOWN: &str = "\u{E015}";
pub(crate) const CONTROL: &str = "\u{E009}";
pub(crate) const ALT: &str = "\u{E00A}";
/// Lets go of all keys that are held.
pub(crate) const RELEASE: &str = "\u{E000}";

/// chromedriver, on a port of its own.
pub(crate) struct Driver {
    child: Child,
    address: SocketAddr,
}

/// One browser, with a profile of its own.
pub(crate) struct Browser<'a> {
    driver: &'a Driver,
    session: String,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let started = (0..ATTEMPTS).find_map(|_| Self::try_start());
        started.expect("chromedriver names its port")
    }

    /// `None` if another process took the port that chromedriver had chosen, before it could listen for IPv4 as well.
    fn try_start() -> Option<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("chromedriver cannot be started ({error}): apt-get install chromium chromium-driver")
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines
            .by_ref()
            .find_map(|line| line.split("successfully on port ").nth(1)?.trim_end_matches('.').parse().ok());
        let Some(port) = port else {
            child.wait().unwrap();
            return None;
        };
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }

    /// A browser whose window has this size.
    pub(crate) fn open(&self, width: u32, height: u32) -> Browser<'_> {
        self.open_in("en", width, height)
    }

    /// A browser of somebody who prefers this language.
    pub(crate) fn open_in(&self, language: &str, width: u32, height: u32) -> Browser<'_> {
        self.open_with(language, width, height, &json!({}))
    }

    /// A browser that refuses the page all storage.
    pub(crate) fn open_without_storage(&self) -> Browser<'_> {
        self.open_with("en", 1200, 760, &json!({"profile.default_content_setting_values.cookies": 2}))
    }

    fn open_with(&self, language: &str, width: u32, height: u32, preferences: &Value) -> Browser<'_> {
        let size = format!("--window-size={width},{height}");
        let language = format!("--accept-lang={language}");
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", &size, &language];
        let options = json!({ "args": arguments, "prefs": preferences });
        let capabilities = json!({"browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}});
        let opened = self.call("POST", "/session", &json!({"capabilities": {"alwaysMatch": capabilities}}));
        let session = opened["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no browser ({opened}): apt-get install chromium chromium-driver"));
        Browser { driver: self, session: session.to_owned() }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        write!(stream, "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap()["value"].take()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_waited_for = self.child.wait();
    }
}

impl Browser<'_> {
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.driver.call(method, &format!("/session/{}{path}", self.session), body);
        assert!(answer.get("error").is_none_or(Value::is_null), "{path}: {answer}");
        answer
    }

    pub(crate) fn go(&self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url }));
    }

    /// The name of the current tab.
    pub(crate) fn tab(&self) -> String {
        self.call("GET", "/window", &Value::Null).as_str().unwrap().to_owned()
    }

    /// Goes on in a new tab.
    pub(crate) fn opens_tab(&self) {
        let opened = self.call("POST", "/window/new", &json!({"type": "tab"}));
        self.goes_to_tab(opened["handle"].as_str().unwrap());
    }

    pub(crate) fn goes_to_tab(&self, tab: &str) {
        self.call("POST", "/window", &json!({ "handle": tab }));
    }

    pub(crate) fn closes_tab(&self) {
        self.call("DELETE", "/window", &Value::Null);
    }

    /// The value of a script's `return`.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script passes to `done`.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        self.call("POST", "/execute/async", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait_for(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.run(&format!("return Boolean({expression})")) != true {
            let text = || self.run("return document.body.innerText");
            assert!(Instant::now() < deadline, "in vain: {expression}\n{}", text());
        }
    }

    /// Whether the person prefers a dark page.
    pub(crate) fn prefers_dark(&self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": value}]);
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.call("POST", "/goog/cdp/execute", &command);
    }

    /// Types where the focus is.
    pub(crate) fn presses(&self, keys: &str) {
        let active = self.call("GET", "/element/active", &Value::Null);
        let element = active[ELEMENT].as_str().unwrap();
        self.call("POST", &format!("/element/{element}/value"), &json!({ "text": keys }));
    }

    /// Waits for an element, and types into it.
    #[track_caller]
    pub(crate) fn types(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.call("POST", &format!("/element/{element}/value"), &json!({ "text": text }));
    }

    #[track_caller]
    pub(crate) fn clicks(&self, selector: &str) {
        let element = self.find(selector);
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    #[track_caller]
    fn find(&self, selector: &str) -> String {
        let found = format!("document.querySelector({})", json!(selector));
        // A drawer that is still moving is no place to click.
        self.wait_for(&format!(
            "{found}?.checkVisibility({{ visibilityProperty: true }}) && !document.getAnimations().length"
        ));
        let found = self.call("POST", "/element", &json!({"using": "css selector", "value": selector}));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// What the console holds that is worse than information, except that the server could not be reached.
    pub(crate) fn console_errors(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().unwrap().iter().filter(|entry| entry["level"] != "INFO");
        let messages = entries.map(|entry| entry["message"].as_str().unwrap().to_owned());
        messages.filter(|message| !message.contains("WebSocket connection to")).collect()
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        self.driver.call("DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}
