//! SES's rates in `CloudWatch`, by which AWS judges the account: one call for both.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode};

use super::AccountApi;
use crate::domain::Time;
use crate::domain::account::rates::{AwsRate, AwsRates};
use crate::ses::ApiRefusal;
use crate::ses::aws::Failure;
use crate::text::Untrusted;

/// Where SES writes its metrics, and what it calls them.
const NAMESPACE: &str = "AWS/SES";
const BOUNCES: (&str, &str) = ("bounces", "Reputation.BounceRate");
const COMPLAINTS: (&str, &str) = ("complaints", "Reputation.ComplaintRate");

/// Of each hour the average, as in AWS's own guide to alarms on them.
const PERIOD_SECONDS: i32 = 3_600;
const STATISTIC: &str = "Average";

/// How far back: where little is sent, SES writes seldom.
const LOOKED_BACK: Duration = Duration::from_hours(14 * 24);

impl AccountApi {
    /// Bounces and complaints by AWS's own count.
    pub(super) async fn rates(&self) -> Result<AwsRates, Failure> {
        // As far as this machine's clock may be wrong for its signature to be taken, it is no matter here either.
        let now = SystemTime::now();
        let asked = self
            .aws
            .cloudwatch()
            .await
            .get_metric_data()
            .metric_data_queries(query(BOUNCES))
            .metric_data_queries(query(COMPLAINTS))
            .start_time((now - LOOKED_BACK).into())
            .end_time(now.into())
            // Should there be more than one page, this one has what is asked for.
            .scan_by(ScanBy::TimestampDescending);
        let answer = Box::pin(asked.send()).await?;
        let of = |(id, _): (&str, &str)| {
            let results = answer.metric_data_results().iter().filter(|result| result.id() == Some(id));
            AwsRate::newest(results.flat_map(points))
        };
        let rates = AwsRates { bounces: of(BOUNCES), complaints: of(COMPLAINTS) };
        match answer.metric_data_results().iter().find_map(refusal) {
            Some(refusal) if rates == AwsRates::default() => Err(Failure::Refused(refusal)),
            _ => Ok(rates),
        }
    }
}

fn query((id, name): (&str, &str)) -> MetricDataQuery {
    let metric = Metric::builder().namespace(NAMESPACE).metric_name(name).build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD_SECONDS).stat(STATISTIC).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).return_data(true).build()
}

fn points(result: &MetricDataResult) -> impl Iterator<Item = (Time, f64)> {
    let times = result.timestamps().iter().map(|at| Time::from_timestamp(at.secs(), 0));
    times.zip(result.values()).filter_map(|(at, value)| at.zip(Some(*value)))
}

/// A result may be refused within an answer that is none.
fn refusal(result: &MetricDataResult) -> Option<ApiRefusal> {
    let (status, code) = match result.status_code()? {
        StatusCode::Forbidden => (403, "AccessDenied"),
        StatusCode::InternalError => (500, "InternalError"),
        _ => return None,
    };
    let words: Vec<&str> = result.messages().iter().filter_map(|message| message.value()).take(1).collect();
    Some(ApiRefusal { status, code: code.to_owned(), message: Untrusted::new(words.concat()) })
}
