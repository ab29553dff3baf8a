//! The two rate windows of each endpoint, per application and tenant.
//!
//! Windows slide: a call passes while fewer than the limit lie in the last minute and in the last
//! hour. By default refused calls count too, as the service's maintainers have said, so a client
//! that does not wait stays locked out. Sources: the limits on each endpoint's page at Microsoft
//! Learn; for Graph `throttling-limits`.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};

use crate::emulator::call::Call;
use crate::emulator::config::{Behaviour, Config};
use crate::emulator::error::ApiError;
use crate::emulator::glob;
use crate::emulator::random::Random;
use crate::emulator::signin::Caller;

/// A window: its length in seconds and how many calls it lets pass.
type Window = (i64, usize);

/// An endpoint: method (empty for all), path below the API's root, its windows.
type Rule = (&'static str, &'static str, &'static [Window]);

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const USUAL: &[Window] = &[(MINUTE, 100), (HOUR, 1_500)];
const ALERTS_OF_GRAPH: &[Window] = &[(MINUTE, 150)];
const SCORES_OF_GRAPH: &[Window] = &[(MINUTE, 150), (600, 10_000)];

/// The Defender API's endpoints; the first that matches counts. What is not here has no stated limit.
const DEFENDER: &[Rule] = &[
    ("GET", "machines", USUAL),
    ("POST", "machines/AddOrRemoveTagForMultipleMachines", USUAL),
    ("GET", "machines/findbyip(*", USUAL),
    ("GET", "machines/findbytag*", USUAL),
    ("GET", "machines/*", USUAL),
    ("PATCH", "machines/*", USUAL),
    ("", "machines/*/runliveresponse", &[(MINUTE, 10)]),
    ("", "machines/*/startInvestigation", &[(HOUR, 50)]),
    ("", "machines/*/vulnerabilities", &[(MINUTE, 50), (HOUR, 1_500)]),
    ("", "machines/*/tags", USUAL),
    ("", "machines/*/setDeviceValue", USUAL),
    ("", "machines/*/isolate", USUAL),
    ("", "machines/*/unisolate", USUAL),
    ("", "machines/*/restrictCodeExecution", USUAL),
    ("", "machines/*/unrestrictCodeExecution", USUAL),
    ("", "machines/*/runAntiVirusScan", USUAL),
    ("", "machines/*/offboard", USUAL),
    ("", "machines/*/collectInvestigationPackage", USUAL),
    ("", "machines/*/StopAndQuarantineFile", USUAL),
    ("", "machines/*/logonusers", USUAL),
    ("", "machines/*/alerts**", USUAL),
    ("GET", "machineactions", USUAL),
    ("", "machineactions/*/cancel", USUAL),
    ("", "machineactions/*/getPackageUri", &[(MINUTE, 2), (HOUR, 120)]),
    ("", "machineactions/*/GetLiveResponseResultDownloadLink*", USUAL),
    ("GET", "machineactions/*", USUAL),
    ("", "libraryfiles**", USUAL),
    ("GET", "alerts", USUAL),
    ("POST", "alerts/batchUpdate", &[(MINUTE, 10), (HOUR, 500)]),
    ("POST", "alerts/CreateAlertByReference", &[(MINUTE, 15)]),
    ("GET", "alerts/*", USUAL),
    ("PATCH", "alerts/*", USUAL),
    ("GET", "alerts/*/*", USUAL),
    ("GET", "investigations", USUAL),
    ("GET", "investigations/*", USUAL),
    ("POST", "indicators/import", &[(MINUTE, 30)]),
    ("POST", "indicators/BatchDelete", &[(MINUTE, 30), (HOUR, 1_500)]),
    ("GET", "indicators", USUAL),
    ("POST", "indicators", USUAL),
    ("DELETE", "indicators/*", USUAL),
    ("", "deviceavinfo", &[(MINUTE, 30), (HOUR, 1_000)]),
    ("", "machines/InfoGatheringExport", &[(MINUTE, 30), (HOUR, 1_000)]),
    ("", "advancedqueries/run", &[(MINUTE, 45), (HOUR, 1_500)]),
    ("", "DeviceAuthenticatedScan**", USUAL),
    ("", "files/**", USUAL),
    ("", "ips/**", USUAL),
    ("", "domains/**", USUAL),
    ("", "users/**", USUAL),
];

/// Graph's entities: any operation on one counts.
const GRAPH: &[Rule] = &[
    ("", "security/alerts_v2**", ALERTS_OF_GRAPH),
    ("", "security/secureScores**", SCORES_OF_GRAPH),
    ("", "security/secureScoreControlProfiles**", SCORES_OF_GRAPH),
];

/// The counters.
#[derive(Debug)]
pub struct Limits {
    enforced: bool,
    count_refused: bool,
    /// By application and endpoint: the newest calls, no more than the widest limit.
    hits: BTreeMap<(String, &'static str, &'static str), VecDeque<Timestamp>>,
    ids: Random,
}

impl Limits {
    /// Empty counters.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let behaviour = &config.behaviour;
        Self {
            enforced: behaviour.enforce_limits,
            count_refused: behaviour.count_refused,
            hits: BTreeMap::new(),
            ids: Random::new(config.seed, 0x6c69_6d69_7473),
        }
    }

    /// Takes over the switches in force.
    pub const fn follow(&mut self, behaviour: &Behaviour) {
        self.enforced = behaviour.enforce_limits;
        self.count_refused = behaviour.count_refused;
    }

    /// Forgets all calls.
    pub fn clear(&mut self) {
        self.hits.clear();
    }

    /// Counts a call of the Defender API.
    ///
    /// # Errors
    /// The 429 that answers the call instead.
    #[expect(clippy::result_large_err, reason = "the error is the response itself")]
    pub fn admit(
        &mut self,
        caller: &Caller,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<(), Response<Bytes>> {
        let path = below_root(&call.path, &["api"], &["v1.0"]);
        self.count(DEFENDER, caller, call, &path, now).map_err(|wait| {
            let message = format!(
                "The application has exceeded the rate limit of this API. Retry after {wait} seconds."
            );
            let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message);
            let mut response = error.into_response(self.ids.guid());
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
            response
        })
    }

    /// Counts a call of Graph.
    ///
    /// # Errors
    /// How many seconds to wait.
    pub fn admit_graph(
        &mut self,
        caller: &Caller,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<(), u32> {
        let path = below_root(&call.path, &["v1.0", "beta"], &[]);
        self.count(GRAPH, caller, call, &path, now)
    }

    fn count(
        &mut self,
        rules: &'static [Rule],
        caller: &Caller,
        call: &Call<'_>,
        path: &str,
        now: Timestamp,
    ) -> Result<(), u32> {
        if !self.enforced {
            return Ok(());
        }
        let method = call.method.as_str();
        let rule = rules.iter().find(|(verb, pattern, _)| {
            (verb.is_empty() || *verb == method) && glob::matches(pattern, path)
        });
        let Some((verb, pattern, windows)) = rule else { return Ok(()) };
        let hits = self.hits.entry((caller.app_id.clone(), verb, pattern)).or_default();
        let refused = windows.iter().any(|window| wait(hits, *window, now) > 0);
        if !refused || self.count_refused {
            let keep = windows.iter().map(|(_, limit)| *limit).max().unwrap_or(0);
            while hits.len() >= keep.max(1) {
                hits.pop_front();
            }
            hits.push_back(now);
        }
        if !refused {
            return Ok(());
        }
        let seconds = windows.iter().map(|window| wait(hits, *window, now)).max().unwrap_or(0);
        Err(u32::try_from(seconds.max(1)).unwrap_or(u32::MAX))
    }
}

/// How many whole seconds until one more call fits into the window; 0 when it fits now.
fn wait(hits: &VecDeque<Timestamp>, (length, limit): Window, now: Timestamp) -> i64 {
    let Some(oldest) = hits.len().checked_sub(limit).and_then(|index| hits.get(index)) else {
        return 0;
    };
    let free = oldest.checked_add(SignedDuration::from_secs(length)).unwrap_or(Timestamp::MAX);
    let left = free.duration_since(now);
    if !left.is_positive() {
        return 0;
    }
    left.as_secs() + i64::from(left.subsec_nanos() > 0)
}

/// The path below the API's root and its optional version.
fn below_root(path: &[String], roots: &[&str], versions: &[&str]) -> String {
    let among = |part: Option<&String>, names: &[&str]| {
        part.is_some_and(|part| names.iter().any(|name| part.eq_ignore_ascii_case(name)))
    };
    let skip = usize::from(among(path.first(), roots));
    let skip = skip + usize::from(among(path.get(skip), versions));
    path.get(skip..).unwrap_or_default().join("/")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn caller(id: &str) -> Caller {
        Caller { app_name: String::new(), app_id: id.to_owned(), roles: Vec::new() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_000_000 + seconds).unwrap()
    }

    /// The wait a call is told, if it is refused.
    fn call(limits: &mut Limits, app: &str, line: &str, now: Timestamp) -> Option<u32> {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
        let response = limits.admit(&caller(app), &Call::read(&request), now).err()?;
        assert_eq!(response.status(), 429);
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["error"]["code"], "TooManyRequests");
        response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
    }

    fn limits(count_refused: bool) -> Limits {
        let mut config = Config::default();
        config.behaviour.count_refused = count_refused;
        Limits::new(&config)
    }

    #[test]
    fn the_minute_slides() {
        let mut limits = limits(false);
        let line = "POST /api/machines/e1/isolate";
        for second in 0..100 {
            let now = at(second / 2);
            assert_eq!(call(&mut limits, "a", line, now), None, "{second}");
        }
        assert_eq!(call(&mut limits, "a", line, at(50)), Some(10));
        assert_eq!(call(&mut limits, "a", line, at(59)), Some(1));
        assert_eq!(call(&mut limits, "a", line, at(60)), None);
        assert_eq!(call(&mut limits, "a", "POST /API/v1.0/machines/e2/Isolate", at(60)), None);
        assert_eq!(call(&mut limits, "a", line, at(60)), Some(1), "two had left, two came");
    }

    #[test]
    fn counters_are_kept_apart() {
        let mut limits = limits(true);
        for _ in 0..100 {
            assert_eq!(call(&mut limits, "a", "GET /api/machines", at(0)), None);
        }
        assert_eq!(call(&mut limits, "a", "GET /api/machines?$skip=5", at(0)), Some(60));
        assert_eq!(call(&mut limits, "b", "GET /api/machines", at(0)), None);
        assert_eq!(call(&mut limits, "a", "GET /api/machines/e1", at(0)), None);
        assert_eq!(call(&mut limits, "a", "GET /api/machineactions", at(0)), None);
    }

    #[test]
    fn refused_calls_count_when_switched_on() {
        for (count, expected) in [(true, Some(30)), (false, None)] {
            let mut limits = limits(count);
            for _ in 0..2 {
                assert_eq!(
                    call(&mut limits, "a", "GET /api/machineactions/1/getPackageUri", at(0)),
                    None
                );
            }
            for _ in 0..2 {
                assert!(
                    call(&mut limits, "a", "GET /api/machineactions/1/getPackageUri", at(30))
                        .is_some()
                );
            }
            let line = "GET /api/machineactions/1/GetPackageUri";
            assert_eq!(call(&mut limits, "a", line, at(60)).map(|_| 30), expected);
        }
    }

    #[test]
    fn the_hour_trips_too() {
        let mut limits = limits(false);
        for second in 0..1_500 {
            assert_eq!(call(&mut limits, "a", "GET /api/alerts", at(second)), None, "{second}");
        }
        assert_eq!(call(&mut limits, "a", "GET /api/alerts", at(1_500)), Some(2_100));
        assert_eq!(call(&mut limits, "a", "GET /api/exposureScore", at(1_500)), None);
    }

    #[test]
    fn graph_counts_all_operations_on_alerts_together() {
        let mut limits = limits(false);
        let mut graph = |line: &str, now| {
            let (method, path) = line.split_once(' ').unwrap();
            let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
            limits.admit_graph(&caller("a"), &Call::read(&request), now).err()
        };
        for _ in 0..75 {
            assert_eq!(graph("GET /v1.0/security/alerts_v2", at(0)), None);
            assert_eq!(graph("PATCH /beta/security/alerts_v2/1", at(0)), None);
        }
        assert_eq!(graph("POST /v1.0/security/alerts_v2/1/comments", at(1)), Some(59));
        assert_eq!(graph("GET /v1.0/security/incidents", at(1)), None);
    }

    #[test]
    fn the_switch_turns_all_of_it_off() {
        let mut limits = limits(true);
        limits.follow(&Behaviour { enforce_limits: false, ..Behaviour::default() });
        for _ in 0..200 {
            assert_eq!(call(&mut limits, "a", "GET /api/machines", at(0)), None);
        }
    }
}
