//! What the lines name, and its numbers: in the order of the lines.

use std::collections::{HashMap, HashSet};

use crate::id::{GroupId, RealmId, UserId};
use crate::limits::{MAX_REALM_NUMBERS, MAX_REALMS};
use crate::name::{FoldedName, Name};
use crate::store::transfer::import::{Problem, wrong};
use crate::store::transfer::line::{GroupNumber, RealmNumber};
use crate::store::transfer::realm_line::RealmKind;

#[derive(Default)]
pub(super) struct Names {
    users: Numbered<Person>,
    groups: Numbered<Group>,
    realms: Numbered<Realm>,
    /// The names of realms that are not removed, and whether others call this server so.
    standing: HashSet<(FoldedName, bool)>,
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

struct Realm {
    name: Name,
    kind: RealmKind,
}

trait Named {
    fn name(&self) -> &Name;
}

impl Named for Group {
    fn name(&self) -> &Name {
        &self.name
    }
}

impl Named for Realm {
    fn name(&self) -> &Name {
        &self.name
    }
}

struct Numbered<T> {
    numbers: HashMap<FoldedName, u32>,
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
        let earlier = self.numbers.insert(name.folded(), number).and_then(|earlier| self.things.get(earlier as usize));
        if earlier.is_some_and(|earlier| !is_free(earlier)) {
            return wrong(format!("the {kind} {name} has an earlier line"));
        }
        self.things.push(thing);
        Ok(number)
    }

    fn find(&self, kind: &str, name: &str) -> Result<(u32, &T), Problem> {
        let number = Name::parse(name).ok().and_then(|name| self.numbers.get(&name.folded()).copied());
        let found = number.and_then(|number| Some((number, self.things.get(number as usize)?)));
        let absent = || Problem::Line(format!("no line before this one is of the {kind} {name:?}"));
        found.ok_or_else(absent)
    }
}

impl<T: Named> Numbered<T> {
    fn find_placed(&self, kind: &str, name: &str, place: Option<u32>) -> Result<(u32, &T), Problem> {
        let newest = self.find(kind, name)?;
        let Some(place) = place else { return Ok(newest) };
        let number = place.checked_sub(1);
        let placed = number.and_then(|number| Some((number, self.things.get(number as usize)?)));
        let of_the_name = placed.filter(|(_, placed)| placed.name().folded() == newest.1.name().folded());
        let other = || Problem::Line(format!("{kind}_number: the {kind} line {place} is not of {name:?}"));
        of_the_name.ok_or_else(other)
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

    /// Number 0 is the home realm's, which has no line. A removed realm's name may be a later one's, and what others call
    /// this server may be any realm's name.
    pub(super) fn add_realm(&mut self, name: &Name, kind: RealmKind) -> Result<RealmId, Problem> {
        let is_called = kind == RealmKind::Called;
        if kind != RealmKind::Removed && !self.standing.insert((name.folded(), is_called)) {
            return wrong(format!("the realm {name} has an earlier line"));
        }
        // The home realm is one, too.
        if self.standing.len() >= MAX_REALMS {
            return wrong(format!("a server has at most {} realms besides its own", MAX_REALMS - 1));
        }
        let realm = Realm { name: name.clone(), kind };
        let number = self.realms.add("realm", name, realm, MAX_REALM_NUMBERS - 1, |_| true)?;
        Ok(RealmId(number + 1))
    }

    pub(super) fn user(&self, name: &str) -> Result<(UserId, &Person), Problem> {
        self.users.find("user", name).map(|(number, person)| (UserId(number), person))
    }

    /// The newest group of the name, or the one of the place, counted from 1, which must have the name.
    pub(super) fn group(&self, name: &str, place: GroupNumber) -> Result<(GroupId, &Name), Problem> {
        self.groups.find_placed("group", name, place).map(|(number, group)| (GroupId(number), &group.name))
    }

    /// The newest realm of the name, or the one of the place, likewise.
    pub(super) fn realm(&self, name: &str, place: RealmNumber) -> Result<(RealmId, RealmKind), Problem> {
        self.realms.find_placed("realm", name, place).map(|(number, realm)| (RealmId(number + 1), realm.kind))
    }

    /// What a realm is; none where there is no line of it yet.
    pub(super) fn kind_of(&self, RealmId(realm): RealmId) -> Option<RealmKind> {
        let Some(place) = realm.checked_sub(1) else { return Some(RealmKind::Name) };
        self.realms.things.get(place as usize).map(|realm| realm.kind)
    }
}
