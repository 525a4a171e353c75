//! SMTP in the words and cases of servers as they are.

use super::script::{HONEST, Script, Scripted};
use super::*;

#[tokio::test]
async fn keywords_are_read_in_any_case() {
    let server = starttls().fault("ehlo=each-lower").start();
    send_to(&server, PATIENT).await.unwrap();
    assert_eq!((server.mails().len(), server.lines_with("<< b'250-starttls'")), (1, 1));
}

#[tokio::test]
async fn a_sign_in_is_asked_for_in_any_words() {
    let questions: [&[&str]; 6] = [
        &["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 welcome\r\n"],
        &["334 Username:\r\n", "334 Password:\r\n", "235 welcome\r\n"],
        &["334 dXNlcm5hbWU6\r\n", "334 cGFzc3dvcmQ6\r\n", "235 welcome\r\n"],
        &["334 \r\n", "334\r\n", "235\r\n"],
        &["334 QmVudXR6ZXJuYW1lOg==\r\n", "334 S2VubndvcnQ6\r\n", "235 welcome\r\n"],
        &["334 사용자 이름\r\n", "334 암호\r\n", "235 welcome\r\n"],
    ];
    for auth in questions {
        let ehlo = "250-mail.example.test\r\n250 Auth=Login\r\n";
        let server = Scripted::new(&[Script { ehlo, auth, ..HONEST }]).await;
        let (_, mut settings) = server.lane();
        settings.smtp.username = Some("user".to_owned());
        settings.smtp.password = Some(Secret::new(PASSWORD));
        let id = SendId::new();
        let mail = mail(&settings, id, Locale::En);
        transport(&settings, PATIENT).lane().send(&mail, id, &forever()).await.unwrap();
        assert_eq!(server.auth(), ["AUTH LOGIN", "dXNlcg==", "Y29ycmVjdCBob3JzZQ=="], "{auth:?}");
    }
}
