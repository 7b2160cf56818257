//! What the lines name, and its numbers: in the order of the lines.

use std::collections::HashMap;

use crate::id::{GroupId, RealmId, UserId};
use crate::name::{Name, NameKey};
use crate::store::transfer::import::{Problem, wrong};

#[derive(Default)]
pub(super) struct Names {
    users: Numbered<Person>,
    groups: Numbered<Name>,
    realms: Numbered<Name>,
}

/// A user, as messages show one.
pub(super) struct Person {
    pub(super) name: Name,
    /// Empty where the name stands for it.
    full_name: Box<str>,
}

impl Person {
    pub(super) fn shown_name(&self) -> &str {
        if self.full_name.is_empty() { self.name.as_str() } else { &self.full_name }
    }
}

struct Numbered<T> {
    numbers: HashMap<NameKey, u32>,
    things: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), things: Vec::new() }
    }
}

impl<T> Numbered<T> {
    fn add(&mut self, kind: &str, name: &Name, thing: T, most: usize) -> Result<u32, Problem> {
        let number = u32::try_from(self.things.len()).unwrap_or(u32::MAX);
        if self.things.len() >= most {
            return wrong(format!("a server has at most {most} {kind}s"));
        }
        if self.numbers.insert(name.key(), number).is_some() {
            return wrong(format!("the {kind} {name} has an earlier line"));
        }
        self.things.push(thing);
        Ok(number)
    }

    fn find(&self, kind: &str, name: &str) -> Result<(u32, &T), Problem> {
        let number = Name::parse(name).ok().and_then(|name| self.numbers.get(&name.key()).copied());
        let found = number.and_then(|number| Some((number, self.things.get(number as usize)?)));
        let absent = || Problem::Line(format!("no line before this one is of the {kind} {name:?}"));
        found.ok_or_else(absent)
    }
}

impl Names {
    pub(super) fn add_user(&mut self, name: &Name, full_name: &str, most: usize) -> Result<UserId, Problem> {
        let person = Person { name: name.clone(), full_name: full_name.into() };
        self.users.add("user", name, person, most).map(UserId)
    }

    pub(super) fn add_group(&mut self, name: &Name, most: usize) -> Result<GroupId, Problem> {
        self.groups.add("group", name, name.clone(), most).map(GroupId)
    }

    /// Number 0 is the home realm's, which has no line.
    pub(super) fn add_realm(&mut self, name: &Name, most: usize) -> Result<RealmId, Problem> {
        self.realms.add("realm", name, name.clone(), most).map(|number| RealmId(number + 1))
    }

    pub(super) fn user(&self, name: &str) -> Result<(UserId, &Person), Problem> {
        self.users.find("user", name).map(|(number, person)| (UserId(number), person))
    }

    pub(super) fn group(&self, name: &str) -> Result<(GroupId, &Name), Problem> {
        self.groups.find("group", name).map(|(number, name)| (GroupId(number), name))
    }

    pub(super) fn realm(&self, name: &str) -> Result<RealmId, Problem> {
        self.realms.find("realm", name).map(|(number, _)| RealmId(number + 1))
    }

    pub(super) fn has_realm(&self, realm: RealmId) -> bool {
        realm.0 as usize <= self.realms.things.len()
    }
}
