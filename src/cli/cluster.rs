//! `kabar cluster`: begins the log that the nodes of a cluster share, and shows how they are.

use std::error::Error;
use std::io::{self, Write};

use clap::Subcommand;
use kabar::server::{self, ClusterStatus};
use kabar::time::Time;

use crate::cli::args::Location;
use crate::cli::join;

#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Make this node's data the beginning of the cluster's log
    ///
    /// Once, on one node that does not run. The others join when it runs.
    Init(Location),
    /// Print a token with which another machine joins, once, for an hour
    ///
    /// Of a node that runs. The token gives all of the data away, and the key
    /// of the realm.
    Invite(Location),
    /// Make this machine a node, with a token of `invite`
    ///
    /// Fetches the realm's key and a copy of the data into the data directory,
    /// which must be new or empty.
    Join {
        /// If it is not given, or -, it is asked for or read from standard input:
        /// other users of this machine can read command lines
        #[arg(value_name = "TOKEN")]
        token: Option<String>,
        #[command(flatten)]
        location: Location,
    },
    /// Show the nodes, how far each is, and which one leads
    Status(Location),
    /// Make this node's data that of a server on its own
    ///
    /// Of a node that does not run. Without this, nothing but the cluster
    /// changes the data.
    Leave(Location),
    /// Have another node lead, without an interruption
    ///
    /// For example before the machine of the leader is restarted. Works from
    /// each machine that has the configuration of a node.
    StepDown(Location),
    /// Take a node that will not come back out of the list
    Remove {
        /// Its name
        #[arg(value_name = "NODE")]
        node: String,
        #[command(flatten)]
        location: Location,
    },
}

pub(super) fn run(command: &ClusterCommand) -> Result<(), Box<dyn Error>> {
    match command {
        ClusterCommand::Init(location) => init(location),
        ClusterCommand::Invite(location) => join::invite(location),
        ClusterCommand::Join { token, location } => join::join(location, token.as_deref()),
        ClusterCommand::Leave(location) => leave(location),
        ClusterCommand::Status(location) => status(location),
        ClusterCommand::StepDown(location) => step_down(location),
        ClusterCommand::Remove { node, location } => remove(location, node),
    }
}

fn init(location: &Location) -> Result<(), Box<dyn Error>> {
    let at = server::begin_cluster(&location.load_all()?)?;
    let next = "start this node (kabar serve), and let the others join: kabar cluster invite here prints a token for each, with \
                which it runs kabar cluster join";
    writeln!(io::stdout(), "the cluster's log begins after entry {at}: {next}")?;
    Ok(())
}

fn leave(location: &Location) -> Result<(), Box<dyn Error>> {
    let config = location.load_all()?;
    let was_node = server::leave_cluster(&config)?;
    let done = if was_node { "is that of a server on its own now" } else { "was that of a server on its own" };
    writeln!(io::stdout(), "{} {done}", config.server.data.display())?;
    Ok(())
}

fn status(location: &Location) -> Result<(), Box<dyn Error>> {
    let ClusterStatus { head, leader, members, bytes, alarms } = server::cluster_status(&location.load_all()?)?;
    let mut out = io::stdout().lock();
    for alarm in alarms {
        writeln!(out, "ALARM of etcd: {alarm}")?;
    }
    writeln!(out, "newest entry {head}, {} KiB in etcd", bytes / 1024)?;
    writeln!(
        out,
        "{:<20} {:<8} {:>12} {:>10} {:>9}  {:<10} ADDRESS",
        "NODE", "ROLE", "SYNCED", "BEHIND", "REPORTED", "VERSION"
    )?;
    let now = Time::now();
    for member in &members {
        let ago = now.0.saturating_sub(member.reported.0) / 1000;
        let leads = leader.as_ref().is_some_and(|leader| leader.node == member.node);
        let role = match leads {
            true => "leads",
            false if server::is_silent(member) => "silent",
            false => "follows",
        };
        // The leader has all, and syncs it now and then.
        let behind = if leads { 0 } else { head.0.saturating_sub(member.synced.0) };
        writeln!(
            out,
            "{:<20} {role:<8} {:>12} {behind:>10} {:>9}  {:<10} {}",
            member.node,
            member.synced.0,
            format!("{ago} s ago"),
            member.version,
            member.advertise
        )?;
    }
    if leader.is_none() {
        writeln!(out, "no node leads")?;
    }
    Ok(())
}

fn step_down(location: &Location) -> Result<(), Box<dyn Error>> {
    let (before, now) = server::step_down(&location.load_all()?)?;
    writeln!(io::stdout(), "{now} leads now; {before} follows")?;
    Ok(())
}

fn remove(location: &Location, node: &str) -> Result<(), Box<dyn Error>> {
    if !server::remove_node(&location.load_all()?, node)? {
        return Err(format!("no node is called {node}: kabar cluster status lists them").into());
    }
    writeln!(io::stdout(), "{node} is out of the list; if it starts again, it is back")?;
    Ok(())
}
