//! Sets of send states.

use std::fmt;

use crate::domain::send::SendState;

/// Some states of sends; none chosen means all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States(u16);

impl States {
    /// Every state.
    pub const ANY: Self = Self(0);

    #[must_use]
    pub fn is_any(self) -> bool {
        self == Self::ANY
    }

    #[must_use]
    pub fn contains(self, state: SendState) -> bool {
        self.is_any() || self.0 & bit(state) != 0
    }

    /// Those chosen, in the order of a send's life; nothing where none is.
    pub fn chosen(self) -> impl Iterator<Item = SendState> {
        SendState::ALL.into_iter().filter(move |state| self.0 & bit(*state) != 0)
    }

    /// The one that is chosen alone.
    #[must_use]
    pub fn only(self) -> Option<SendState> {
        self.chosen().next().filter(|state| bit(*state) == self.0)
    }
}

fn bit(state: SendState) -> u16 {
    1 << state as u16
}

impl FromIterator<SendState> for States {
    fn from_iter<T: IntoIterator<Item = SendState>>(states: T) -> Self {
        Self(states.into_iter().fold(0, |bits, state| bits | bit(state)))
    }
}

impl From<SendState> for States {
    fn from(state: SendState) -> Self {
        Some(state).into()
    }
}

impl From<Option<SendState>> for States {
    fn from(state: Option<SendState>) -> Self {
        state.into_iter().collect()
    }
}

/// `failed,unknown`
impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chosen().map(SendState::as_str).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_chosen_is_all() {
        assert!(SendState::ALL.into_iter().all(|state| States::ANY.contains(state)));
        let some: States = [SendState::Unknown, SendState::Failed].into_iter().collect();
        assert_eq!((some.to_string().as_str(), some.only()), ("failed,unknown", None));
        assert!(some.contains(SendState::Failed) && !some.contains(SendState::Bounced));
        assert_eq!(States::from(Some(SendState::Queued)).only(), Some(SendState::Queued));
        assert!(States::from(None).is_any());
    }
}
