//! `[cluster]`.

use super::*;

const LOG: &str = "log = \"etcd://10.0.0.1:2379\"\n";

fn node(settings: &str) -> Result<Cluster, ConfigError> {
    read(&format!("[cluster]\n{LOG}node = \"a\"\n{settings}")).map(|config| config.cluster)
}

/// Where other nodes reach a node that has bound port 8887.
fn reached_at(listen: &str, advertise: &str) -> String {
    let settings = format!("listen = \"{listen}\"\nadvertise = \"{advertise}\"");
    node(&settings).unwrap().channel_address(8887).unwrap().to_string()
}

#[test]
fn a_server_on_its_own_needs_none_of_the_settings() {
    let cluster = Config::default().cluster;
    assert_eq!((cluster.log, cluster.node, cluster.listen), (None, None, None));
}

#[test]
fn a_node_is_reached_by_others_where_it_listens() {
    assert_eq!(reached_at("10.0.0.1:8887", ""), "10.0.0.1:8887");
    assert_eq!(reached_at("10.0.0.1:0", "a.example.org:8889"), "10.0.0.1:8887");
    assert_eq!(reached_at("node_a.internal:8887", ""), "node_a.internal:8887");
    assert_eq!(reached_at("[2001:db8::7]:8887", ""), "[2001:db8::7]:8887");
}

#[test]
fn a_node_that_listens_at_all_addresses_is_reached_at_the_advertised_host() {
    assert_eq!(reached_at("0.0.0.0:8887", "10.0.0.1:8889"), "10.0.0.1:8887");
    assert_eq!(reached_at("[::]:0", "a.example.org:8889"), "a.example.org:8887");
    assert_eq!(reached_at("[::]:8887", "[2001:db8::7]:8889"), "[2001:db8::7]:8887");
}

#[test]
fn a_mistake_in_a_cluster_is_told_with_its_place_and_what_would_be_right() {
    let all_addresses = "[cluster] listen is all addresses of this machine: expected an address at which other nodes \
                         reach it in advertise, such as 10.0.0.1:8889";
    let table = [
        ("", "2:7: [cluster] log makes this server a node: expected the address at which other nodes reach it in listen, \
              such as 10.0.0.1:8887".to_owned()),
        ("listen = \"0.0.0.0:8887\"", format!("4:10: {all_addresses}")),
        ("listen = \"[::]:8887\"\nadvertise = \"0.0.0.0:8889\"", format!("4:10: {all_addresses}")),
        ("listen = \"0.0.0.0:8887\"\nadvertise = \"behind a wall\"", format!("4:10: {all_addresses}")),
        (
            "listen = \"127.0.0.1:8889\"",
            "4:10: [cluster] listen: 127.0.0.1:8889 is an address of clients or of metrics, too; expected another one"
                .to_owned(),
        ),
        (
            "listen = \"8887\"",
            "4:10: [cluster] listen: expected a host and a port, such as 10.0.0.1:8887, node1.example.org:8887 or \
             [2001:db8::7]:8887, found \"8887\""
                .to_owned(),
        ),
    ];
    for (settings, message) in table {
        assert_eq!(node(settings).unwrap_err().to_string(), format!("config.toml:{message}"), "{settings}");
    }
    let nameless = mistake(&format!("[cluster]\n{LOG}"));
    assert_eq!(nameless, "config.toml:2:7: [cluster] log makes this server a node: expected its name in node");
}
