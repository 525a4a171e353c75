//! What the pages say.

use super::page::Page;
use crate::domain::locale::Locale;

/// The words of one page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) heading: &'static str,
    pub(super) paragraphs: Vec<String>,
    /// On the button, where the page has one.
    pub(super) button: &'static str,
}

fn words<const N: usize>(heading: &'static str, paragraphs: [&str; N], button: &'static str) -> Words {
    Words { heading, paragraphs: paragraphs.map(str::to_owned).into(), button }
}

/// On the link back to the site.
pub(super) fn continue_to(locale: Locale, site: &str) -> String {
    match locale {
        Locale::Ko => format!("{site} 바로가기"),
        Locale::En => format!("Continue to {site}"),
    }
}

/// What a page says, in the reader's language.
pub(super) fn of(page: Page, locale: Locale) -> Words {
    match locale {
        Locale::Ko => korean(page),
        Locale::En => english(page),
    }
}

fn korean(page: Page) -> Words {
    match page {
        Page::Verified => words(
            "이메일 주소가 확인되었습니다",
            ["감사합니다. 이제 더 하실 일은 없습니다. 이 창은 닫으셔도 됩니다."],
            "",
        ),
        Page::Confirm => words(
            "이메일 주소를 확인해 주세요",
            ["아래 버튼을 누르면 확인이 끝납니다.", "직접 신청하지 않으셨다면 누르지 말고 이 창을 닫아 주세요."],
            "이메일 주소 확인하기",
        ),
        Page::Expired => words(
            "링크의 유효 기간이 지났습니다",
            [
                "안전을 위해 확인 링크는 정해진 기간에만 쓸 수 있습니다. 아래 버튼을 누르면 새 링크를 메일로 보내 드립니다.",
            ],
            "새 메일 받기",
        ),
        Page::Revoked => words(
            "더 이상 쓸 수 없는 링크입니다",
            [
                "그 뒤에 보내 드린 메일이 있다면, 가장 최근 메일의 링크를 열어 주세요.",
                "메일을 찾을 수 없다면 새로 받으실 수 있습니다.",
            ],
            "새 메일 받기",
        ),
        Page::UnknownLink => words(
            "알 수 없는 링크입니다",
            [
                "링크가 중간에 잘렸을 수 있습니다. 메일에 있는 버튼을 다시 누르거나, 링크를 끝까지 복사해 주소창에 붙여 넣어 주세요.",
                "그래도 열리지 않으면 가입하신 사이트에서 다시 신청해 주세요.",
            ],
            "",
        ),
        Page::Queued => words(
            "새 메일을 곧 보내 드립니다",
            [
                "받은편지함에서 새 메일의 링크를 열어 주세요.",
                "몇 분이 지나도 보이지 않으면 스팸 메일함도 확인해 주세요. 메일이 여러 통이라면 가장 최근 메일의 링크를 쓰시면 됩니다.",
            ],
            "",
        ),
        Page::CoolingDown { seconds } => Words {
            heading: "메일을 이미 보내 드리는 중입니다",
            paragraphs: vec![
                "먼저 받은편지함과 스팸 메일함을 확인해 주세요. 도착까지 몇 분이 걸릴 수 있습니다.".into(),
                format!("{} 뒤에 새 메일을 다시 요청하실 수 있습니다.", korean_wait(seconds)),
            ],
            button: "새 메일 받기",
        },
        Page::HadTheDaysMails { seconds } => Words {
            heading: "오늘은 메일을 더 보내 드릴 수 없습니다",
            paragraphs: vec![
                "지난 24시간 동안 이미 여러 통을 보내 드렸습니다. 받은편지함과 스팸 메일함에서 가장 최근 메일의 링크를 열어 주세요."
                    .into(),
                format!("{} 뒤에 새 메일을 다시 요청하실 수 있습니다.", korean_wait(seconds)),
            ],
            button: "",
        },
        Page::Away => words(
            "잠시 뒤에 다시 시도해 주세요",
            ["저희 쪽의 일시적인 문제로 지금은 링크를 확인할 수 없습니다. 잃어버린 정보는 없습니다."],
            "다시 시도",
        ),
        Page::Failed => words(
            "문제가 생겼습니다",
            [
                "저희 쪽의 문제로 요청을 처리하지 못했습니다. 바뀐 것은 없으며, 문제는 기록해 두었습니다. 나중에 다시 시도해 주세요.",
            ],
            "다시 시도",
        ),
        Page::Nowhere => words(
            "페이지를 찾을 수 없습니다",
            ["이메일 주소를 확인하려던 중이었다면, 메일에 있는 버튼을 다시 눌러 주세요."],
            "",
        ),
        Page::BadRequest(_) => words(
            "처리할 수 없는 요청입니다",
            ["메일에 있는 버튼을 눌러 처음부터 다시 시도해 주세요. 바뀐 것은 없습니다."],
            "",
        ),
    }
}

fn english(page: Page) -> Words {
    match page {
        Page::Verified => words(
            "Your email address is confirmed",
            ["Thank you. There is nothing else to do; you can close this page."],
            "",
        ),
        Page::Confirm => words(
            "Please confirm your email address",
            ["Press the button, and you are done.", "If you did not sign up, do not press it; close this page."],
            "Confirm my email address",
        ),
        Page::Expired => words(
            "This link has expired",
            ["For your safety, links work for a limited time only. Press the button, and we will send you a new one."],
            "Send me a new mail",
        ),
        Page::Revoked => words(
            "This link no longer works",
            [
                "If we have sent you another mail since, please open the link in the newest one.",
                "If you cannot find it, we can send you a new one.",
            ],
            "Send me a new mail",
        ),
        Page::UnknownLink => words(
            "We do not know this link",
            [
                "Part of it may be missing. Please press the button in the mail again, or copy the whole link, to its very \
                 end, into the address bar.",
                "If that does not help, please sign up again on the site.",
            ],
            "",
        ),
        Page::Queued => words(
            "A new mail is on its way",
            [
                "Please open the link in it.",
                "If you do not see it after a few minutes, check your spam folder. If there are several mails, use \
                 the newest.",
            ],
            "",
        ),
        Page::CoolingDown { seconds } => Words {
            heading: "A mail is already on its way",
            paragraphs: vec![
                "Please check your inbox and your spam folder first. It may take a few minutes to arrive.".into(),
                format!("You can ask for another one in {}.", english_wait(seconds)),
            ],
            button: "Send me a new mail",
        },
        Page::HadTheDaysMails { seconds } => Words {
            heading: "We cannot send you more mails today",
            paragraphs: vec![
                "We have sent you several in the last 24 hours. Please check your inbox and your spam folder, and \
                 open the link in the newest one."
                    .into(),
                format!("You can ask for another one in {}.", english_wait(seconds)),
            ],
            button: "",
        },
        Page::Away => words(
            "Please try again in a moment",
            ["We cannot look up your link right now. The problem is on our side, and nothing is lost."],
            "Try again",
        ),
        Page::Failed => words(
            "Something went wrong",
            ["The problem is on our side, and it has been logged. Nothing was changed. Please try again later."],
            "Try again",
        ),
        Page::Nowhere => words(
            "There is no page here",
            ["If you want to confirm your email address, please press the button in the mail again."],
            "",
        ),
        Page::BadRequest(_) => words(
            "We did not understand this request",
            ["Please start again from the button in the mail. Nothing was changed."],
            "",
        ),
    }
}

/// A wait in the coarsest unit that does not make people come too early.
fn wait(seconds: i64) -> (i64, usize) {
    match seconds {
        ..=90 => (seconds.max(1), 0),
        91..=5_400 => (seconds.saturating_add(59) / 60, 1),
        _ => (seconds.saturating_add(3_599) / 3_600, 2),
    }
}

fn korean_wait(seconds: i64) -> String {
    let (number, unit) = wait(seconds);
    format!("{number}{}", ["초", "분", "시간"][unit])
}

fn english_wait(seconds: i64) -> String {
    let (number, unit) = wait(seconds);
    format!("{number} {}{}", ["second", "minute", "hour"][unit], if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_never_understated() {
        let table = [
            (-3, "1초", "1 second"),
            (1, "1초", "1 second"),
            (42, "42초", "42 seconds"),
            (90, "90초", "90 seconds"),
            (91, "2분", "2 minutes"),
            (3_600, "60분", "60 minutes"),
            (5_401, "2시간", "2 hours"),
        ];
        for (seconds, korean, english) in table {
            assert_eq!((korean_wait(seconds).as_str(), english_wait(seconds).as_str()), (korean, english));
        }
    }
}
