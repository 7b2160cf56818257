//! A network in which a node can be cut off from etcd: what is sent meanwhile arrives when it is whole again, or never.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::pause::connect;

/// The way from one node to etcd.
pub(super) struct Wire {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: Mutex<bool>,
    mended: Condvar,
}

impl Wire {
    /// A way to `target`, until the process ends.
    pub(super) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(State::default()));
        let wire = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let wire = wire.clone();
                thread::spawn(move || wire.carry(&client.unwrap(), target));
            }
        });
        Self { address, state }
    }

    pub(super) fn cut(&self) {
        *self.state.is_cut.lock().unwrap() = true;
    }

    pub(super) fn mend(&self) {
        *self.state.is_cut.lock().unwrap() = false;
        self.state.mended.notify_all();
    }
}

impl State {
    fn carry(&self, client: &TcpStream, target: SocketAddr) {
        self.wait_until_whole();
        let Some(server) = connect(target) else { return };
        server.set_read_timeout(None).unwrap();
        client.set_nodelay(true).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| self.copy(client, &server));
            self.copy(&server, client);
        });
    }

    /// Until one of them ends, which ends both.
    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut bytes).unwrap_or(0);
            self.wait_until_whole();
            if count == 0 || to.write_all(&bytes[..count]).is_err() {
                let _may_have_ended = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                return;
            }
        }
    }

    fn wait_until_whole(&self) {
        let is_cut = self.is_cut.lock().unwrap();
        drop(self.mended.wait_while(is_cut, |is_cut| *is_cut).unwrap());
    }
}
