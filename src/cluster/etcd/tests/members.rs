//! What nodes report.

use crate::cluster::etcd::tests::cluster::Cluster;
use crate::cluster::shared_log::{Member, SharedLog};
use crate::cluster::testing::node_info;
use crate::id::Seq;
use crate::time::Time;

fn member(node: &str, synced: u64) -> Member {
    Member { node: node.into(), synced: Seq(synced), reported: Time(1), ..node_info().member(Seq(0), Time(1)) }
}

#[test]
fn members_are_listed_until_they_are_removed() {
    let cluster = Cluster::start(1);
    let (a, b) = (cluster.log(), cluster.log());
    assert_eq!(a.members().unwrap(), []);
    b.report(&member("b", 1)).unwrap();
    a.report(&member("a", 2)).unwrap();
    a.report(&member("a", 3)).unwrap();
    assert_eq!(b.members().unwrap(), [member("a", 3), member("b", 1)]);

    // A node that starts again knows nothing of its earlier reports.
    let again = cluster.log();
    again.report(&member("a", 4)).unwrap();
    assert!(again.remove("b").unwrap());
    assert!(!again.remove("b").unwrap());
    assert_eq!(a.members().unwrap(), [member("a", 4)]);
    // One that lives is a member again.
    b.report(&member("b", 5)).unwrap();
    assert_eq!(a.members().unwrap(), [member("a", 4), member("b", 5)]);
}
