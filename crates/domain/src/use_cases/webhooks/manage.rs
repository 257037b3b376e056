//! Operators' management of webhooks.

use crate::{
    deliveries::Backlog,
    journal::{Actor, SecurityEvent},
    model::{Label, WebhookId},
    ports::{
        Clock, Entropy, Journal, SecretFault, SecurityEvents, StoreError, TargetRefused,
        WebhookSecrets, WebhookSender, Webhooks,
    },
    use_cases::parts::Recorder,
    webhooks::{DisabledReason, EventFilter, MOST, PreviousSecret, ROTATION, Webhook, WebhookUrl},
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};

/// The ports of webhooks.
#[derive(Clone)]
#[expect(missing_docs, reason = "the trait of each field says what it is")]
pub struct WebhookPorts {
    pub webhooks: Arc<dyn Webhooks>,
    pub journal: Arc<dyn Journal>,
    pub secrets: Arc<dyn WebhookSecrets>,
    pub sender: Arc<dyn WebhookSender>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub events: Arc<dyn SecurityEvents>,
    /// How long a delivery is tried.
    pub max_age: Duration,
}

/// An endpoint to make.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// What to call it.
    pub name: Label,
    /// Where it is.
    pub url: WebhookUrl,
    /// What it gets.
    pub events: EventFilter,
}

/// What to change of an endpoint; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// What to call it.
    pub name: Option<Label>,
    /// Where it is.
    pub url: Option<WebhookUrl>,
    /// What it gets.
    pub events: Option<EventFilter>,
    /// Whether something is sent to it.
    pub enabled: Option<bool>,
}

impl WebhookChange {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        let Self {
            name,
            url,
            events,
            enabled,
        } = self;
        name.is_none() && url.is_none() && events.is_none() && enabled.is_none()
    }
}

/// An endpoint whose secret was just made.
#[derive(Debug)]
pub struct CreatedWebhook {
    /// The endpoint.
    pub webhook: Webhook,
    /// What its program verifies signatures with. It is shown here and nowhere else.
    pub secret: SecretString,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRefused {
    /// There is no such endpoint.
    #[error("there is no such webhook")]
    NotFound,
    /// It must not be connected to.
    #[error("the url is refused")]
    Target(#[from] TargetRefused),
    /// There are [`MOST`] already.
    #[error("there are {} webhooks already, and there may be no more", MOST)]
    TooMany,
    /// Nothing is sent to it.
    #[error("the webhook is disabled: enable it first")]
    Disabled,
    /// No event can be of the time of a replay.
    #[error("no event is of that time: it must begin before it ends, and not in the future")]
    NoTime,
    /// More events than one replay may have.
    #[error(
        "more than {} events match: ask for a shorter time",
        ManageWebhooks::REPLAY
    )]
    TooMuch,
    /// The secret can't be sealed or opened.
    #[error(transparent)]
    Secret(#[from] SecretFault),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes and changes webhooks, and sends events to them that operators ask for.
#[derive(Clone)]
pub struct ManageWebhooks {
    pub(super) ports: WebhookPorts,
    pub(super) recorder: Recorder,
}

impl ManageWebhooks {
    /// Manages the webhooks of these ports.
    pub fn new(ports: WebhookPorts) -> Self {
        Self {
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), None),
            ports,
        }
    }

    /// Makes an endpoint. It gets what happens from now on.
    ///
    /// # Errors
    /// [`WebhookRefused`].
    pub async fn create(
        &self,
        new: NewWebhook,
        actor: Actor,
    ) -> Result<CreatedWebhook, WebhookRefused> {
        self.ports.sender.check(&new.url).await??;
        let now = self.ports.clock.now();
        let id = WebhookId::from_random(self.ports.entropy.bytes());
        let secret = self.ports.secrets.make(id)?;
        let webhook = Webhook {
            id,
            name: new.name,
            url: new.url,
            events: new.events,
            secret: secret.sealed,
            previous: None,
            disabled: None,
            created_at: now,
            since: now,
            failing_since: None,
            last_error: None,
            version: 0,
        };
        // Before the commit: whatever is committed after it comes later in the journal.
        let from = self.ports.journal.follow(None, 0).await?.cursor;
        let told = move |is_added: &bool| {
            let event = is_added.then_some(SecurityEvent::WebhookCreated { webhook: id });
            event.into_iter().collect::<Vec<_>>()
        };
        let tell = self.recorder.tell(now, actor, told);
        if !self.ports.webhooks.add(&webhook, from, &tell).await? {
            return Err(WebhookRefused::TooMany);
        }
        self.recorder.record(&tell, &true);
        Ok(CreatedWebhook {
            webhook,
            secret: secret.shown,
        })
    }

    /// Every endpoint, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self) -> Result<Vec<Webhook>, StoreError> {
        self.ports.webhooks.list().await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`WebhookRefused::NotFound`], or the store's.
    pub async fn find(&self, id: WebhookId) -> Result<Webhook, WebhookRefused> {
        let found = self.ports.webhooks.find(id).await?;
        found.ok_or(WebhookRefused::NotFound)
    }

    /// What is on its way to an endpoint.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn backlog(&self, id: WebhookId) -> Result<Backlog, StoreError> {
        let all = self.ports.webhooks.backlogs().await?;
        let own = all.into_iter().find(|(webhook, _)| *webhook == id);
        Ok(own.map(|(_, backlog)| backlog).unwrap_or_default())
    }

    /// Changes an endpoint. One that is enabled gets what happens from now on.
    ///
    /// # Errors
    /// [`WebhookRefused`].
    pub async fn change(
        &self,
        id: WebhookId,
        change: &WebhookChange,
        actor: Actor,
    ) -> Result<Webhook, WebhookRefused> {
        if let Some(url) = &change.url {
            self.ports.sender.check(url).await??;
        }
        let now = self.ports.clock.now();
        let apply = |webhook: &Webhook| -> Result<Webhook, SecretFault> {
            let mut changed = webhook.clone();
            let WebhookChange {
                name,
                url,
                events,
                enabled,
            } = change.clone();
            changed.name = name.unwrap_or(changed.name);
            changed.url = url.unwrap_or(changed.url);
            changed.events = events.unwrap_or(changed.events);
            match enabled {
                Some(true) if changed.disabled.is_some() => {
                    changed.disabled = None;
                    changed.since = now;
                    (changed.failing_since, changed.last_error) = (None, None);
                }
                Some(false) if changed.disabled.is_none() => {
                    changed.disabled = Some(DisabledReason::Operator);
                }
                _ => {}
            }
            Ok(changed)
        };
        let told = move |before: &Webhook, after: &Webhook| match (before.disabled, after.disabled)
        {
            (Some(_), None) => SecurityEvent::WebhookEnabled { webhook: id },
            (None, Some(cause)) => SecurityEvent::WebhookDisabled { webhook: id, cause },
            _ => SecurityEvent::WebhookChanged { webhook: id },
        };
        self.replace(id, actor, apply, told).await
    }

    /// Gives an endpoint a new secret; the old one signs beside it for [`ROTATION`].
    ///
    /// # Errors
    /// [`WebhookRefused`].
    pub async fn rotate(
        &self,
        id: WebhookId,
        actor: Actor,
    ) -> Result<CreatedWebhook, WebhookRefused> {
        let secret = self.ports.secrets.make(id)?;
        let until = self.ports.clock.now().plus(ROTATION);
        let apply = |webhook: &Webhook| -> Result<Webhook, SecretFault> {
            Ok(Webhook {
                secret: secret.sealed.clone(),
                previous: Some(PreviousSecret {
                    secret: webhook.secret.clone(),
                    until,
                }),
                ..webhook.clone()
            })
        };
        let told = move |_: &Webhook, _: &Webhook| SecurityEvent::WebhookRotated { webhook: id };
        let webhook = self.replace(id, actor, apply, told).await?;
        Ok(CreatedWebhook {
            webhook,
            secret: secret.shown,
        })
    }

    /// Seals every secret under the present master key; answers the endpoints whose were not. It may be begun again.
    ///
    /// # Errors
    /// [`WebhookRefused`]; those that were sealed anew before stay so.
    pub async fn reseal(&self, actor: Actor) -> Result<Vec<WebhookId>, WebhookRefused> {
        let mut resealed = Vec::new();
        let now = self.ports.clock.now();
        for webhook in self.ports.webhooks.list().await? {
            let id = webhook.id;
            let apply = |webhook: &Webhook| -> Result<Webhook, SecretFault> {
                let secrets = &self.ports.secrets;
                let mut sealed = webhook.clone();
                sealed.previous = sealed.previous.filter(|old| old.until > now);
                if let Some(secret) = secrets.reseal(id, &webhook.secret)? {
                    sealed.secret = secret;
                }
                if let Some(old) = &mut sealed.previous
                    && let Some(secret) = secrets.reseal(id, &old.secret)?
                {
                    old.secret = secret;
                }
                Ok(sealed)
            };
            if apply(&webhook)? == webhook {
                continue;
            }
            let told =
                move |_: &Webhook, _: &Webhook| SecurityEvent::WebhookChanged { webhook: id };
            match self.replace(id, actor, apply, told).await {
                Ok(_) => resealed.push(id),
                Err(WebhookRefused::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(resealed)
    }

    /// Deletes an endpoint, with what is on its way to it.
    ///
    /// # Errors
    /// [`WebhookRefused::NotFound`], or the store's.
    pub async fn remove(&self, id: WebhookId, actor: Actor) -> Result<(), WebhookRefused> {
        let told = move |was_there: &bool| {
            let event = was_there.then_some(SecurityEvent::WebhookDeleted { webhook: id });
            event.into_iter().collect::<Vec<_>>()
        };
        let tell = self.recorder.tell(self.ports.clock.now(), actor, told);
        let was_there = self.ports.webhooks.remove(id, &tell).await?;
        self.recorder.record(&tell, &was_there);
        was_there.then_some(()).ok_or(WebhookRefused::NotFound)
    }

    /// Applies a change to the endpoint as it is, however many change it at once.
    async fn replace(
        &self,
        id: WebhookId,
        actor: Actor,
        apply: impl Fn(&Webhook) -> Result<Webhook, SecretFault>,
        told: impl Fn(&Webhook, &Webhook) -> SecurityEvent,
    ) -> Result<Webhook, WebhookRefused> {
        loop {
            let before = self.find(id).await?;
            let after = apply(&before)?;
            if after == before {
                return Ok(before);
            }
            let event = told(&before, &after);
            let told = move |done: &bool| {
                let event = done.then(|| event.clone());
                event.into_iter().collect::<Vec<_>>()
            };
            let tell = self.recorder.tell(self.ports.clock.now(), actor, told);
            if self.ports.webhooks.replace(&after, &tell).await? {
                self.recorder.record(&tell, &true);
                let version = after.version + 1;
                return Ok(Webhook { version, ..after });
            }
        }
    }
}
