//! How nodes of a cluster tell each other of the links to other realms.

use crate::chat::LinkStatus;
use crate::hub::link_states::NodeLink;
use crate::hub::shared::Hub;
use crate::id::RealmId;

impl Hub {
    /// The link to a realm has changed here.
    pub(crate) fn set_link(&self, realm: RealmId, status: &LinkStatus) {
        let mut presence = self.0.presence();
        // Those of an earlier term are not the leader's.
        if !self.is_following() && presence.elsewhere().links.status(realm) != *status {
            presence.elsewhere().links.set(realm, status.clone());
            presence.elsewhere().tell_link(realm);
        }
    }

    /// As the leader: the links of which another node is to be told; `None` if there is nothing new.
    pub(crate) fn link_news(&self, node: u64) -> Option<Vec<NodeLink>> {
        self.0.presence().elsewhere().take_links(node)
    }

    /// As a follower: notes how the links are that the leader has.
    pub(crate) fn note_links(&self, links: Vec<NodeLink>) {
        self.0.presence().elsewhere().links.note(links);
    }

    /// As a follower: forgets how links are. It learns that again over the next channel.
    pub(crate) fn forget_links(&self) {
        self.0.presence().elsewhere().links.forget();
    }

    /// The link to a realm, as the leader has told it.
    pub(crate) fn told_link(&self, realm: RealmId) -> LinkStatus {
        self.0.presence().elsewhere().links.status(realm)
    }

    /// How many links are up, as the leader has told it; `None` if it has not.
    pub(crate) fn told_links_up(&self) -> Option<usize> {
        self.0.presence().elsewhere().links.told_up()
    }
}
