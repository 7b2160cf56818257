//! The admin socket: how `kabar admin` and `kabar cluster invite` reach a server that runs. It lies in the data directory, which
//! only its owner can enter, and answers one request a connection.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::hub::CommitStatus;
use crate::limits::{ADMIN_CONNECTIONS, ADMIN_REQUEST, JOIN_TOKENS, LINE_BYTES_MAX, SOCKET_PATH_BYTES};
use crate::net::{Operator, ServerContext};
use crate::server::joins::Joins;

/// The request for a join token. It is no command of the protocol.
pub const JOIN_TOKEN_REQUEST: &str = "cluster invite";

/// The socket of the server on a data directory.
#[must_use]
pub fn admin_socket(data: &Path) -> PathBuf {
    data.join("kabar.sock")
}

/// Serves the operator until the server stops. Returns whether there is a socket; if there can be none the reason is logged.
pub(super) fn serve(data: &Path, services: &Arc<ServerContext>, joins: Option<Arc<Joins>>) -> bool {
    let path = admin_socket(data);
    match bind(&path) {
        Ok(listener) => {
            services.tasks.spawn(accept(listener, path, services.clone(), joins));
            true
        }
        Err(error) => {
            warn!(%error, path = %path.display(), "kabar admin cannot reach this server while it runs");
            false
        }
    }
}

/// The lock of the directory is held: a socket that is there is that of a server that was killed.
fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.as_os_str().len() > SOCKET_PATH_BYTES {
        return Err(io::Error::other(format!("expected a path of at most {SOCKET_PATH_BYTES} bytes")));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn accept(listener: UnixListener, path: PathBuf, services: Arc<ServerContext>, joins: Option<Arc<Joins>>) {
    let places = Arc::new(Semaphore::new(ADMIN_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = services.stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (Ok((stream, _)), Ok(place)) = (accepted, places.clone().try_acquire_owned()) else { continue };
        let (services, joins) = (services.clone(), joins.clone());
        tokio::spawn(async move {
            if timeout(ADMIN_REQUEST, answer(stream, &services, joins.as_deref())).await.is_err() {
                debug!("the operator's request took too long");
            }
            drop(place);
        });
    }
    if let Err(error) = fs::remove_file(&path) {
        debug!(%error, "the admin socket could not be removed");
    }
}

/// The answer to [`JOIN_TOKEN_REQUEST`]: the token, or a line that says why there is none.
fn join_token(joins: Option<&Joins>) -> String {
    let Some(joins) = joins else { return "ERROR this server is no node of a cluster".to_owned() };
    match joins.invite() {
        Some(token) => format!("OK {}", token.expose()),
        None => format!("ERROR {JOIN_TOKENS} join tokens are good already: use one, or wait until one has expired"),
    }
}

async fn answer(stream: UnixStream, services: &Arc<ServerContext>, joins: Option<&Joins>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LINE_BYTES_MAX as u64)).read_line(&mut line).await?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line == JOIN_TOKEN_REQUEST {
        write.write_all(join_token(joins).as_bytes()).await?;
        return write.shutdown().await;
    }
    let reply = Operator::of_server(services).answer(line).await;
    let status = loop {
        let settled = services.hub.settled();
        match services.hub.commit_status(reply.ticket) {
            CommitStatus::Pending => settled.await,
            status => break status,
        }
    };
    write.write_all(&reply.render(status)).await?;
    write.shutdown().await
}
