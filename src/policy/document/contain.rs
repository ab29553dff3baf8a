//! `IsolationSet` and `CodeExecutionRestriction` as authors write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::IsolationMode;
use crate::policy::document::device::DeviceSelector;
use crate::policy::document::leaf::{CommentText, DurationText, TimestampText};
use crate::policy::document::rollout::RolloutSpec;
use crate::policy::document::{ModeWord, OnExpiryWord, OnManualReleaseWord};

macro_rules! containment {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            /// `enforce` (the default) or `audit`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub mode: Option<ModeWord>,
            /// Which devices.
            pub devices: DeviceSelector,
            $($(#[$fdoc])* pub $field: $type,)*
            /// How long each device stays so, counted from when the action on it succeeded. This or
            /// `until` is required unless the workspace has a `defaults.lease`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub lease: Option<DurationText>,
            /// Until when, for all devices alike; instead of `lease`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub until: Option<TimestampText>,
            /// What happens when the lease ends: `release` (the default) or `hold`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub on_expiry: Option<OnExpiryWord>,
            /// How many leases the policy may take on one device in all; 1 when it is not given. A lease
            /// that has ended is spent: raise this number to take the device again.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(range(min = 1, max = 1000), example = 2)]
            pub renewal: Option<u32>,
            /// Whether a device that somebody else put into the wanted state is taken over, and thus
            /// released when the lease ends; `false` when it is not given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub adopt: Option<bool>,
            /// What a release means that a person made while the lease ran: `respect` (the default)
            /// leaves the device released, `reassert` puts it back, `ask` holds that until somebody
            /// lifts `released-by-hand`. The undoing of a run counts as a person's release, and so does
            /// cancelling the action while it is pending; what another workspace released is always
            /// respected.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub on_manual_release: Option<OnManualReleaseWord>,
            /// Whether offline devices are queued with the service (they act when they come back,
            /// within three days) or held; `true` when it is not given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub queue_offline: Option<bool>,
            /// In which waves the changes go out; the workspace's `defaults.rollout`, or all at once, when
            /// it is not given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub rollout: Option<RolloutSpec>,
            /// Comment of the actions, for the people who read the device's history; the policy's
            /// description, or its name, when it is not given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub comment: Option<CommentText>,
        }
    };
}

containment!(
    /// Isolates devices from the network. The service can still reach them.
    IsolationSetSpec {
        /// `full` (the default): everything but the sensor's own traffic is cut. `selective`: the
        /// tenant's exceptions stay, by default Outlook and Teams; Windows and macOS only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        isolation: Option<IsolationMode>,
    }
);

containment!(
    /// Lets devices run only code that is signed by a Microsoft-issued certificate. Windows only.
    CodeExecutionRestrictionSpec {}
);
