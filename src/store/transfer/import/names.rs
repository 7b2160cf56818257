//! What the lines name, and its numbers: in the order of the lines.

use std::collections::HashMap;

use crate::id::{GroupId, RealmId, UserId};
use crate::name::{Name, NameKey};
use crate::store::transfer::import::{Problem, wrong};
use crate::store::transfer::line::GroupNumber;

#[derive(Default)]
pub(super) struct Names {
    users: Numbered<Person>,
    groups: Numbered<Group>,
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

struct Group {
    name: Name,
    deleted: bool,
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
    /// `is_free` tells of an earlier thing whether another one may have its name.
    fn add(
        &mut self,
        kind: &str,
        name: &Name,
        thing: T,
        most: usize,
        is_free: impl Fn(&T) -> bool,
    ) -> Result<u32, Problem> {
        let number = u32::try_from(self.things.len()).unwrap_or(u32::MAX);
        if self.things.len() >= most {
            return wrong(format!("a server has at most {most} {kind}s"));
        }
        let earlier = self.numbers.insert(name.key(), number).and_then(|earlier| self.things.get(earlier as usize));
        if earlier.is_some_and(|earlier| !is_free(earlier)) {
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
        self.users.add("user", name, person, most, |_| false).map(UserId)
    }

    /// A deleted group's name may be a later one's.
    pub(super) fn add_group(&mut self, name: &Name, deleted: bool, most: usize) -> Result<GroupId, Problem> {
        let group = Group { name: name.clone(), deleted };
        self.groups.add("group", name, group, most, |earlier| earlier.deleted).map(GroupId)
    }

    /// Number 0 is the home realm's, which has no line.
    pub(super) fn add_realm(&mut self, name: &Name, most: usize) -> Result<RealmId, Problem> {
        self.realms.add("realm", name, name.clone(), most, |_| false).map(|number| RealmId(number + 1))
    }

    pub(super) fn user(&self, name: &str) -> Result<(UserId, &Person), Problem> {
        self.users.find("user", name).map(|(number, person)| (UserId(number), person))
    }

    /// The newest group of the name, or the one of the place, counted from 1, which must have the name.
    pub(super) fn group(&self, name: &str, place: GroupNumber) -> Result<(GroupId, &Name), Problem> {
        let (newest, group) = self.groups.find("group", name)?;
        let Some(place) = place else { return Ok((GroupId(newest), &group.name)) };
        let number = place.checked_sub(1);
        let placed = number.and_then(|number| Some((number, self.groups.things.get(number as usize)?)));
        let of_the_name = placed.filter(|(_, placed)| placed.name.key() == group.name.key());
        let other = || Problem::Line(format!("group_number: the group line {place} is not of {name:?}"));
        of_the_name.map(|(number, group)| (GroupId(number), &group.name)).ok_or_else(other)
    }

    pub(super) fn realm(&self, name: &str) -> Result<RealmId, Problem> {
        self.realms.find("realm", name).map(|(number, _)| RealmId(number + 1))
    }

    pub(super) fn has_realm(&self, realm: RealmId) -> bool {
        realm.0 as usize <= self.realms.things.len()
    }
}
