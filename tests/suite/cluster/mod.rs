//! A cluster as its clients and its operator see it: members of etcd, nodes of the program, and what kills them.

mod client;
mod etcd;
mod etcd_failures;
mod followers;
mod joining;
mod leader_failures;
mod links;
mod load;
mod network;
mod node_failures;
mod nodes;
mod operation;
mod pause;
mod single_server;
mod snapshots;
