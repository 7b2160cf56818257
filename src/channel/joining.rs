//! How a machine becomes a node: it shows the secret of a join token, and gets the realm's key.

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::channel::endpoint::{Channel, connect_to_join};
use crate::channel::error::ChannelError;
use crate::channel::messages::{JoinReply, JoinRequest};
use crate::id::PeerKey;
use crate::limits::{JOIN_FRAME_BYTES, JOIN_REQUEST};

/// Asks the node at `HOST:PORT` for the key of its realm, after it has proved that it has it. Returns the text of the key
/// file.
///
/// # Errors
/// If no node of that realm answers there, or it refuses.
pub async fn ask_to_join(address: &str, realm: PeerKey, request: &JoinRequest) -> Result<SecretString, ChannelError> {
    ask(connect_to_join(address, realm).await?, request).await
}

async fn ask(channel: Channel, request: &JoinRequest) -> Result<SecretString, ChannelError> {
    let (mut reader, mut writer) = channel.split();
    writer.queue(request)?;
    writer.flush().await?;
    match timeout(JOIN_REQUEST, reader.next()).await.unwrap_or(Err(ChannelError::NoAnswer))? {
        Some(JoinReply::Welcome { key }) => Ok(String::from(key).into()),
        Some(JoinReply::Refused(why)) => Err(ChannelError::JoinRefused(why)),
        None => Err(ChannelError::NoAnswer),
    }
}

/// Answers a guest: with the text of the key file, or why it gets none.
///
/// # Errors
/// If it says nothing in time, or something else.
pub async fn answer_guest(
    channel: Channel,
    decide: impl FnOnce(&JoinRequest) -> Result<SecretString, Box<str>>,
) -> Result<(), ChannelError> {
    let (reader, mut writer) = channel.split();
    let mut reader = reader.limit(JOIN_FRAME_BYTES);
    let said = timeout(JOIN_REQUEST, reader.next()).await.unwrap_or(Err(ChannelError::NoAnswer))?;
    let Some(request) = said else { return Ok(()) };
    let reply = match decide(&request) {
        Ok(key) => JoinReply::Welcome { key: key.expose_secret().into() },
        Err(why) => JoinReply::Refused(why),
    };
    writer.queue(&reply)?;
    writer.close().await
}

/// Tells a guest why it gets no key, whatever it asks.
///
/// # Errors
/// If it is gone.
pub async fn refuse_guest(channel: Channel, why: &str) -> Result<(), ChannelError> {
    let (_reader, mut writer) = channel.split();
    writer.queue(&JoinReply::Refused(why.into()))?;
    writer.close().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    const PIPE: usize = 16 * 1024;

    fn request() -> JoinRequest {
        JoinRequest { secret: [7; 16], node: "d".into() }
    }

    #[tokio::test]
    async fn a_guest_gets_the_key_or_the_reason() {
        for answer in [Ok("key"), Err("used")] {
            let (here, there) = duplex(PIPE);
            let decide = |request: &JoinRequest| {
                assert_eq!((request.secret, &*request.node), ([7; 16], "d"));
                answer.map(SecretString::from).map_err(Into::into)
            };
            let (request, here, there) = (request(), Channel::over(here), Channel::over(there));
            let (asked, answered) = tokio::join!(ask(here, &request), answer_guest(there, decide));
            answered.unwrap();
            match asked {
                Ok(key) => assert_eq!(Ok(key.expose_secret()), answer),
                Err(error) => assert_eq!(Err(&*error.to_string()), answer),
            }
        }
    }

    #[tokio::test]
    async fn a_guest_cannot_fill_the_memory() {
        let (here, there) = duplex(PIPE);
        let (_reader, mut writer) = Channel::over(here).split();
        writer.queue(&JoinRequest { secret: [7; 16], node: "d".repeat(JOIN_FRAME_BYTES).into() }).unwrap();
        writer.flush().await.unwrap();
        let answered = answer_guest(Channel::over(there), |_| panic!("it was read")).await;
        assert!(matches!(answered, Err(ChannelError::TooLong(_))), "{answered:?}");
    }

    #[test]
    fn the_secret_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", request()), "JoinRequest { node: \"d\", .. }");
    }
}
