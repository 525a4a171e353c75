//! The verification mail as the templates make it now, for a sample user.
//!
//! Off the async threads and under a time limit: templates and HTML are written by people, and a layout that takes for
//! ever must not take the console along. Such a rendering cannot be stopped, only left alone, so there are never more
//! than a few.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::timeout;

use super::Context;
use crate::config::{SettingError, Settings};
use crate::domain::locale::Locale;
use crate::mail::templates::Templates;
use crate::mail::verification::{TEMPLATE, VerificationMail};
use crate::text::plain;
use crate::tui::msg::{Answer, Problem, RenderedMail};
use crate::tui::widget::html;

/// How many renderings may run.
pub(super) const AT_ONCE: usize = 3;

/// How long one may take.
const RENDER_MAX: Duration = Duration::from_secs(3);

pub(super) async fn render(context: Arc<Context>, locale: Locale, columns: u16) -> Answer<Box<RenderedMail>> {
    let Ok(permit) = Arc::clone(&context.renderings).try_acquire_owned() else {
        return Err(too_long());
    };
    let rendering = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        render_now(&context.settings, locale, columns)
    });
    match timeout(RENDER_MAX, rendering).await {
        Ok(Ok(Ok(mail))) => Ok(Box::new(mail)),
        Ok(Ok(Err(error))) => {
            Err(Problem { what: plain(&error.what).into_string(), hint: error.hint, ..Problem::default() })
        }
        // A panic in it ends the console anyway.
        Ok(Err(_)) | Err(_) => Err(too_long()),
    }
}

/// Reads the templates anew each time, so that a change to a file is seen at once.
fn render_now(settings: &Settings, locale: Locale, columns: u16) -> Result<RenderedMail, SettingError> {
    let templates = Templates::from_settings(settings)?;
    let mail = VerificationMail::sample(locale, settings, Utc::now());
    let words = templates.render(TEMPLATE, locale, &mail.context(&settings.site))?;
    let name = mail.mailable_name().unwrap_or_default();
    Ok(RenderedMail {
        to: format!("{name} <{}>", mail.recipient),
        subject: words.subject,
        text: words.text,
        shown: html::shown(&words.html, columns).unwrap_or_default(),
        html: words.html,
    })
}

fn too_long() -> Problem {
    Problem {
        what: format!("the template took longer than {} seconds to render", RENDER_MAX.as_secs()),
        hint: "look for loops and deep nesting in the files under `templates.dir`".into(),
        ..Problem::default()
    }
}
