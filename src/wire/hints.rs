//! What a person can do about an Entra error number.
//!
//! Numbers and texts of Entra change; they are used for hints only, never to decide anything but
//! whether a sign-in is worth trying again. Source: Microsoft Learn, AADSTS error codes.

/// Numbers and advice, in the order of the numbers.
const HINTS: &[(u32, &str)] = &[
    (50001, "the API is disabled or not provisioned in this tenant"),
    (50012, "the certificate is not accepted; upload it to the application"),
    (53003, "a Conditional Access policy blocks this application or this network"),
    (65001, "an administrator must consent to the application's permissions"),
    (65005, "add the API to the application's permissions and consent again"),
    (70001, "the application does not exist in this tenant or is disabled"),
    (70011, "the scope is not valid; it must end in `/.default`"),
    (70021, "no federated credential matches yet; a new one takes some minutes to work"),
    (90002, "there is no such tenant; check `tenantId` and the cloud"),
    (90038, "the tenant lives in another national cloud; set `cloud`"),
    (500011, "the API has no service principal in this tenant; is the product provisioned?"),
    (500021, "a proxy restricts which tenants may be reached"),
    (530032, "a security policy of the tenant blocks the sign-in"),
    (530035, "security defaults of the tenant block the sign-in"),
    (650056, "add the API to the application's permissions and consent again"),
    (650057, "add the API to the application's permissions and consent again"),
    (700011, "the application does not exist in this tenant or is disabled"),
    (700016, "check the client id and the tenant id; the application is not known in this tenant"),
    (700022, "one scope at a time: the scope names more than one API"),
    (700023, "the scope is missing"),
    (700024, "the federated token is expired or the clock is wrong"),
    (700025, "switch off \"Allow public client flows\" for the application"),
    (700027, "the assertion's signature is not accepted"),
    (700030, "the certificate's subject is not accepted"),
    (700211, "no federated credential has this token's issuer (`iss`)"),
    (700212, "no federated credential has this token's audience (`aud`)"),
    (700213, "no federated credential has this token's subject (`sub`)"),
    (700229, "use an application's token, not a user's, as federated token"),
    (900382, "the tenant lives in another national cloud; set `cloud`"),
    (900432, "the tenant lives in another national cloud; set `cloud`"),
    (7000112, "the application is disabled in this tenant"),
    (7000215, "the client secret is wrong; use the secret's value, not its id"),
    (7000216, "the secret or federated token is empty"),
    (7000218, "the secret or federated token is empty"),
    (7000222, "the client secret has expired; make a new one or move to federation"),
    (7002137, "no federated credential of the managed identity has this subject"),
    (7002138, "the token's subject differs from the federated credential in case only"),
];

/// Numbers that mean "try again": throttled, not well, or a federated credential still spreading.
const TRANSIENT: &[u32] = &[50000, 70021, 90006, 90024, 90033, 90055];

/// What to do about a number.
#[must_use]
pub fn hint(number: u32) -> Option<&'static str> {
    HINTS.iter().find(|(known, _)| *known == number).map(|(_, text)| *text)
}

/// Whether trying again may help.
#[must_use]
pub fn is_transient(number: u32) -> bool {
    TRANSIENT.contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_sorted_and_short() {
        assert!(HINTS.is_sorted_by_key(|(number, _)| *number));
        for (number, text) in HINTS {
            assert!(text.len() < 100 && !text.ends_with('.'), "{number}");
        }
        assert_eq!(hint(7000222).map(|text| text.contains("expired")), Some(true));
        assert_eq!(hint(1), None);
    }
}
