//! A walk through the console.

use crossterm::event::KeyCode::{self, Char, End, Enter, Esc, Home, PageDown, PageUp, Tab};
use ratatui::layout::Size;
use verifydesk::tui::headless::Headless;
use verifydesk::tui::model::Setup;

use super::super::Large;

pub async fn all(large: &mut Large) {
    let setup = Setup { operator: "kim@bastion".into(), ..Setup::default() };
    let (desk, settings) = (large.world.desk.clone(), large.world.settings.clone());
    let mut console = Headless::new(desk, settings, setup, Size::new(120, 36), true);
    console.settle().await;
    large.did("opening the console").await;
    large.press(&mut console, &[PageDown, End, PageUp, Home]).await;
    for tab in "23451".chars() {
        large.press(&mut console, &[Char(tab), End, Home, Enter, Esc]).await;
    }
    for text in ["kim", "user999", "김미나", "domain:naver.com created:<2d", "Mina <user4759@naver.com>"] {
        large.press(&mut console, &[Char('/')]).await;
        console.type_text(text);
        console.settle().await;
        large.did(&format!("typing {text}")).await;
        large.press(&mut console, &[Enter, Tab, Tab, Tab, Tab, Tab, Tab, Enter, Esc, Esc, Esc]).await;
    }
    for view in ['m', 'o', 'u', 'S', 't'] {
        large.press(&mut console, &[Char(view), End, Home, Tab, Enter, Enter, Esc, Esc, Esc]).await;
    }
}

impl Large {
    async fn press(&mut self, console: &mut Headless, keys: &[KeyCode]) {
        for key in keys {
            console.press(*key);
            console.settle().await;
            let screen = console.text();
            let title = screen.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned();
            self.did(&format!("{key} in the console, to {title}")).await;
        }
    }
}
