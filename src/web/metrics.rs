//! The metrics in the text format of OpenMetrics. docs/OPERATING.md lists them, with what to alert on. No label is the name of a
//! user, a group or a realm.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::hub::NodeStatus;
use crate::logging;
use crate::net::{Census, ServerContext};
use crate::store;
use crate::web::monitor::Monitor;
use crate::web::process::Process;
use crate::wire::ListenerKind;

/// All metrics. Before the store is open only those of the process.
pub(super) fn text(monitor: &Arc<Monitor>) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("kabar");
    if let Some(context) = monitor.context() {
        let commits = context.hub.commit_metrics();
        let help = "How long the store took for a batch of changes, its sync included";
        registry.register_with_unit("commit", help, Unit::Seconds, commits.seconds.clone());
        registry.register("commit_records", "Log records that a commit stored", commits.records.clone());
    }
    registry.register_collector(Box::new(Measured(monitor.clone())));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// Metrics that are read when they are requested.
struct Measured(Arc<Monitor>);

impl std::fmt::Debug for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Measured")
    }
}

impl Collector for Measured {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), Error> {
        let mut out = Families(encoder);
        build(&mut out)?;
        process(&mut out, &self.0)?;
        log(&mut out)?;
        disk(&mut out, &self.0)?;
        let Some(context) = self.0.context() else { return Ok(()) };
        connections(&mut out, &context.admission.census())?;
        requests(&mut out, &context)?;
        hub(&mut out, &context)?;
        links(&mut out, &context)?;
        node(&mut out, &context)
    }
}

const NONE: [(&str, &str); 0] = [];

fn build(out: &mut Families<'_>) -> Result<(), Error> {
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("commit", env!("BUILD_COMMIT"))];
    out.gauge("build_info", "The version that runs", None, [(labels, 1.0)])
}

fn process(out: &mut Families<'_>, monitor: &Monitor) -> Result<(), Error> {
    let help = "When this process started, since 1970";
    out.gauge("process_start_time", help, Some(Unit::Seconds), [(NONE, monitor.started)])?;
    let Some(process) = Process::read() else { return Ok(()) };
    let Process { cpu_seconds, resident_bytes, open_files, threads } = process;
    out.counter("process_cpu", "Processor time of this process", Some(Unit::Seconds), [(NONE, cpu_seconds)])?;
    let help = "Memory of this process that is in RAM";
    out.gauge("process_resident_memory", help, Some(Unit::Bytes), [(NONE, resident_bytes as f64)])?;
    out.gauge("process_open_fds", "Its open file descriptors", None, [(NONE, open_files as f64)])?;
    out.gauge("process_threads", "Its threads", None, [(NONE, threads as f64)])
}

fn log(out: &mut Families<'_>) -> Result<(), Error> {
    let log = logging::status();
    let help = "Log lines that had no room, because the reader of the log is too slow";
    out.counter("log_lines_dropped", help, None, [(NONE, log.left_out as f64)])?;
    out.gauge("log_lines_waiting", "Log lines that wait for their reader", None, [(NONE, log.waiting as f64)])
}

fn disk(out: &mut Families<'_>, monitor: &Monitor) -> Result<(), Error> {
    let Ok(usage) = store::usage(&monitor.data) else { return Ok(()) };
    let files = [([("file", "database")], usage.database as f64), ([("file", "wal")], usage.wal as f64)];
    out.gauge("store_size", "Size of the store's files", Some(Unit::Bytes), files)?;
    out.gauge("disk_free", "Free space of the disk of the data", Some(Unit::Bytes), [(NONE, usage.free as f64)])
}

fn connections(out: &mut Families<'_>, census: &Census) -> Result<(), Error> {
    let by_listener = |counts: &[u64]| {
        let count = |kind: ListenerKind| counts.get(kind as usize).copied().unwrap_or_default() as f64;
        ListenerKind::ALL.map(|kind| ([("listener", kind.name())], count(kind)))
    };
    out.gauge("connections", "Open connections", None, by_listener(&census.open))?;
    out.gauge("connections_logged_in", "Open connections of users", None, [(NONE, census.logged_in as f64)])?;
    out.gauge("connections_max", "Connections that may be open", None, [(NONE, census.most as f64)])?;
    out.counter("connections_accepted", "Connections that were admitted", None, by_listener(&census.accepted))?;
    let ended = census.ended.iter().map(|(reason, count)| ([("reason", *reason)], *count as f64));
    out.counter("connections_ended", "Connections that the server rejected or ended", None, ended)?;
    let help = "What waits for readers of connections";
    out.gauge("outbox", help, Some(Unit::Bytes), [(NONE, census.waiting_bytes as f64)])
}

fn requests(out: &mut Families<'_>, context: &ServerContext) -> Result<(), Error> {
    let counts = context.requests.commands().flat_map(|count| {
        let outcome = |outcome, number: u64| ([("command", count.word), ("outcome", outcome)], number as f64);
        [outcome("done", count.done), outcome("failed", count.failed)]
    });
    out.counter("requests", "Requests that were answered", None, counts)?;
    let refusals = context.requests.refusals().map(|(code, count)| ([("code", code)], count as f64));
    out.counter("errors", "Error replies, by their code", None, refusals)
}

fn hub(out: &mut Families<'_>, context: &ServerContext) -> Result<(), Error> {
    let hub = &context.hub;
    let ((users, groups, head), _) =
        hub.read(|state| (state.user_count() as f64, state.group_count() as f64, state.head().0 as f64));
    let (changes, bytes) = hub.pending();
    out.gauge("users", "Accounts", None, [(NONE, users)])?;
    out.gauge("groups", "Groups", None, [(NONE, groups)])?;
    out.gauge("users_online", "Users with a connection", None, [(NONE, hub.online_count() as f64)])?;
    out.gauge("log_records", "The number of the newest record of the log", None, [(NONE, head)])?;
    let failures = hub.commit_metrics().failures() as f64;
    out.counter("commit_failures", "Batches of changes that could not be stored", None, [(NONE, failures)])?;
    out.gauge("pending_changes", "Log records that wait for a commit", None, [(NONE, changes as f64)])?;
    out.gauge("pending", "Message bodies that wait for a commit", Some(Unit::Bytes), [(NONE, bytes as f64)])?;
    let refusing = f64::from(hub.refusing().is_some());
    out.gauge("changes_refused", "1 while changes are refused, for the disk's sake", None, [(NONE, refusing)])?;
    let hashes = context.passwords.waiting() as f64;
    out.gauge("passwords_waiting", "Passwords that wait for a core", None, [(NONE, hashes)])
}

fn links(out: &mut Families<'_>, context: &ServerContext) -> Result<(), Error> {
    let ((known, waiting, bytes), _) = context.hub.read(|state| {
        state.peers().fold((0, 0, 0), |(known, waiting, bytes), (.., peer)| {
            (known + 1, waiting + peer.queue.len(), bytes + peer.queue.bytes())
        })
    });
    let up = context.federation.manager.up_count();
    let states = up.into_iter().flat_map(|up| {
        [([("state", "up")], up as f64), ([("state", "down")], known.max(up).saturating_sub(up) as f64)]
    });
    out.gauge("links", "Other servers that are known", None, states)?;
    let help = "Messages that wait for other servers";
    out.gauge("link_queue_messages", help, None, [(NONE, waiting as f64)])?;
    out.gauge("link_queue", help, Some(Unit::Bytes), [(NONE, bytes as f64)])
}

/// Of a node of a cluster; a server on its own has none of these.
fn node(out: &mut Families<'_>, context: &ServerContext) -> Result<(), Error> {
    let Some(NodeStatus { leads, terms, is_cut_off, channels, forwards }) = context.hub.node_status() else {
        return Ok(());
    };
    out.gauge("node_leads", "1 while this node leads its cluster", None, [(NONE, f64::from(leads))])?;
    out.counter("node_terms", "How often this node has begun to lead", None, [(NONE, terms as f64)])?;
    let help = "1 while this node has no word from its cluster, and answers nobody";
    out.gauge("node_cut_off", help, None, [(NONE, f64::from(is_cut_off))])?;
    let help = "Channels to other nodes: those of its followers if it leads, that to the leader otherwise";
    out.gauge("node_channels", help, None, [(NONE, channels as f64)])?;
    let help = "Commands of this node's clients that wait for the leader";
    out.gauge("node_forwards_waiting", help, None, [(NONE, forwards as f64)])
}

/// The labels of a value, and the value.
type Sample<const N: usize> = ([(&'static str, &'static str); N], f64);

/// Writes metric families.
struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    fn gauge<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        samples: impl IntoIterator<Item = Sample<N>>,
    ) -> Result<(), Error> {
        let encode = |mut encoder: MetricEncoder<'_>, value| encoder.encode_gauge(&value);
        self.family((name, help, unit, MetricType::Gauge), samples, encode)
    }

    fn counter<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        samples: impl IntoIterator<Item = Sample<N>>,
    ) -> Result<(), Error> {
        let encode =
            |mut encoder: MetricEncoder<'_>, value| encoder.encode_counter::<NoLabelSet, f64, f64>(&value, None);
        self.family((name, help, unit, MetricType::Counter), samples, encode)
    }

    fn family<const N: usize>(
        &mut self,
        (name, help, unit, kind): (&str, &str, Option<Unit>, MetricType),
        samples: impl IntoIterator<Item = Sample<N>>,
        encode: impl Fn(MetricEncoder<'_>, f64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, value) in samples {
            encode(family.encode_family(&labels)?, value)?;
        }
        Ok(())
    }
}
