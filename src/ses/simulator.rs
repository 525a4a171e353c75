//! The mailbox simulator of Amazon SES: recipients that behave as their names say, and that count neither towards the
//! account's quota nor towards its reputation ("Send test emails using the Amazon SES mailbox simulator").

use crate::domain::address::EmailAddress;

const DOMAIN: &str = "simulator.amazonses.com";

/// What its mailboxes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulator {
    /// Takes the mail.
    Success,
    /// Refuses it for good.
    Bounce,
    /// Takes it and calls it spam.
    Complaint,
    /// Takes it and answers that no one is there.
    OutOfTheOffice,
    /// Is on the list of addresses that SES sends nothing to.
    Suppression,
}

impl Simulator {
    pub const ALL: [Self; 5] = [Self::Success, Self::Bounce, Self::Complaint, Self::OutOfTheOffice, Self::Suppression];

    /// The word for it on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::OutOfTheOffice => "ooto",
            Self::Suppression => "suppression",
        }
    }

    fn local_part(self) -> &'static str {
        match self {
            Self::Suppression => "suppressionlist",
            other => other.as_str(),
        }
    }

    /// Its address, as text.
    #[must_use]
    pub fn address(self) -> String {
        format!("{}@{DOMAIN}", self.local_part())
    }

    /// Whether an address is one of them, with or without a label (`bounce+label@…`).
    #[must_use]
    pub fn is(address: &EmailAddress) -> bool {
        let local = address.as_str().split(['+', '@']).next().unwrap_or_default();
        address.domain() == DOMAIN && Self::ALL.iter().any(|known| known.local_part() == local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_addresses_and_no_others() {
        for simulator in Simulator::ALL {
            assert!(Simulator::is(&EmailAddress::parse(&simulator.address()).unwrap()), "{simulator:?}");
        }
        let table = [
            ("bounce+label1@simulator.amazonses.com", true),
            ("suppressionlist@Simulator.AmazonSES.com", true),
            ("suppression@simulator.amazonses.com", false),
            ("success@amazonses.com", false),
            ("success@simulator.amazonses.com.example.org", false),
            ("someone@simulator.amazonses.com", false),
        ];
        for (address, is) in table {
            assert_eq!(Simulator::is(&EmailAddress::parse(address).unwrap()), is, "{address}");
        }
    }
}
