//! Circles of imports: files, or top-level modules, none of which can be understood without the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::Import;
use crate::module_tree::Module;

/// Who uses whom, and the first place of each use.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, String>>;

/// The circles between top-level modules, and those between the files of each. Each is described by its imports.
pub(crate) fn circles(modules: &[Module], imports: &BTreeSet<Import>) -> Vec<String> {
    let tops: BTreeMap<&str, &str> = modules.iter().map(|module| (module.file.as_str(), module.top())).collect();
    let top = |file: &str| tops[file];
    let (mut across, mut inside) = (Graph::new(), Graph::new());
    for import in imports {
        let Import { from, line, to, .. } = import;
        let place = || format!("{from}:{line} uses {to}");
        if top(from) != import.top {
            across.entry(top(from)).or_default().entry(&import.top).or_insert_with(place);
        }
        if top(from) == top(to) {
            inside.entry(from).or_default().entry(to).or_insert_with(place);
        }
    }
    [across, inside]
        .iter()
        .flat_map(|graph| components(graph).into_iter().map(|circle| describe(graph, &circle)))
        .collect()
}

fn describe(graph: &Graph<'_>, circle: &BTreeSet<&str>) -> String {
    let mut description = format!("circle of {}", circle.iter().copied().collect::<Vec<_>>().join(", "));
    for (to, place) in circle.iter().flat_map(|from| &graph[from]) {
        if circle.contains(to) {
            description.push_str("\n  ");
            description.push_str(place);
        }
    }
    description
}

/// The strongly connected components of two nodes or more.
fn components<'a>(graph: &Graph<'a>) -> Vec<BTreeSet<&'a str>> {
    let reach: BTreeMap<&str, BTreeSet<&'a str>> = graph.keys().map(|node| (*node, reachable(graph, node))).collect();
    let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|nodes| nodes.contains(to));
    let mut found: Vec<BTreeSet<&'a str>> = Vec::new();
    for node in graph.keys() {
        let is_known = found.iter().any(|component| component.contains(node));
        let others = reach[node].iter().copied().filter(|other| other != node && reaches(other, node));
        let circle: BTreeSet<&'a str> = others.chain([*node]).collect();
        if !is_known && circle.len() > 1 {
            found.push(circle);
        }
    }
    found
}

fn reachable<'a>(graph: &Graph<'a>, start: &'a str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next = vec![start];
    while let Some(node) = next.pop() {
        let unseen = graph.get(node).into_iter().flat_map(BTreeMap::keys).filter(|other| seen.insert(**other));
        next.extend(unseen.copied());
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::{Graph, components, describe};

    fn graph(edges: &[(&'static str, &'static str)]) -> Graph<'static> {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry(from).or_default().insert(to, format!("{from} uses {to}"));
        }
        graph
    }

    #[test]
    fn a_graph_without_circles_has_no_components() {
        assert!(components(&graph(&[("a", "b"), ("b", "c"), ("a", "c"), ("d", "d")])).is_empty());
    }

    #[test]
    fn nodes_that_reach_each_other_are_one_component() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("e", "f"), ("f", "e")]);
        let described: Vec<String> = components(&graph).iter().map(|circle| describe(&graph, circle)).collect();
        assert_eq!(described, ["circle of b, c\n  b uses c\n  c uses b", "circle of e, f\n  e uses f\n  f uses e"]);
    }
}
