//! Links to other servers that come to a node which follows: it carries them to the leader, which serves them.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch};
use tracing::debug;

use crate::channel::{CarriedLink, ChannelEndpoint, ChannelError};
use crate::chat::CommandError;
use crate::limits::{CARRIED_LINKS, CARRIED_OFFERS};
use crate::net::{CarrierConnection, LinkCarrier, ServerContext, admit_carried};

/// As a follower: the way to the leader.
pub(super) struct Carrier {
    endpoint: Arc<ChannelEndpoint>,
    /// The address of the leader, while another node leads.
    leader: watch::Receiver<Option<Box<str>>>,
    places: Arc<Semaphore>,
    /// Links that are being offered.
    offers: Semaphore,
}

impl Carrier {
    pub(super) fn new(endpoint: Arc<ChannelEndpoint>, leader: watch::Receiver<Option<Box<str>>>) -> Self {
        Self {
            endpoint,
            leader,
            places: Arc::new(Semaphore::new(CARRIED_LINKS)),
            offers: Semaphore::new(CARRIED_OFFERS),
        }
    }

    async fn connect(&self, peer: IpAddr) -> Result<CarrierConnection, CommandError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| CommandError::Busy)?;
        let _offer = self.offers.try_acquire().map_err(|_| CommandError::Busy)?;
        let mut leader = self.leader.clone();
        let address = leader.borrow_and_update().clone().ok_or(CommandError::Unavailable)?;
        let carried = self.endpoint.offer_link(&address, peer).await.map_err(|problem| {
            debug!(%problem, "a link could not be carried to the leader");
            CommandError::Unavailable
        })??;
        let over = async move {
            // The place lasts as long.
            let _place = place;
            let _nobody_leads_otherwise = leader.changed().await;
        };
        Ok(CarrierConnection { stream: Box::new(carried), over: Box::pin(over) })
    }
}

impl LinkCarrier for Carrier {
    fn offer(
        &self,
        peer: IpAddr,
    ) -> Pin<Box<dyn Future<Output = Result<CarrierConnection, CommandError>> + Send + '_>> {
        Box::pin(self.connect(peer))
    }
}

/// As the leader: serves the links that other nodes carry here, until the server stops.
pub(super) async fn serve(services: &Arc<ServerContext>, mut links: mpsc::Receiver<CarriedLink>) {
    let places = Arc::new(Semaphore::new(CARRIED_LINKS));
    loop {
        let link = tokio::select! {
            () = services.stopping.cancelled() => return,
            link = links.recv() => link,
        };
        let Some(link) = link else { return };
        let place = places.clone().try_acquire_owned();
        let context = services.clone();
        services.tasks.spawn(async move {
            let served = match place {
                Ok(_place) => serve_one(link, &context).await,
                Err(_) => link.refuse(CommandError::Busy).await,
            };
            if let Err(problem) = served {
                debug!(%problem, "a carried link was not made");
            }
        });
    }
}

async fn serve_one(link: CarriedLink, context: &Arc<ServerContext>) -> Result<(), ChannelError> {
    let peer = link.peer;
    let admitted = match context.hub.is_following() {
        true => Err(CommandError::Unavailable),
        false => admit_carried(context, peer),
    };
    match admitted {
        Ok(places) => places.serve(link.take().await?, peer, context).await,
        Err(why) => link.refuse(why).await?,
    }
    Ok(())
}
