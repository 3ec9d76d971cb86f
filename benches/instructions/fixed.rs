//! Keys and tokens that never change: an instruction count repeats only with the same input. No server uses them.

/// A moment when the tokens are valid: a second after they were signed, in milliseconds since 1970.
pub const NOW: i64 = 1_800_000_001_000;

/// The `jti` of each of them.
pub const JTI: &str = "Zk3xQ0vT1mB8sYc5dWnLpA";

pub const HS256_SECRET: &str = "a secret for benches, of more than thirty-two bytes";

pub const HS256_TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiIsImtpZCI6InhaS05sWmhIIn0.eyJpc3MiOiJqd3QtdnMtc2Vzc2lvbiIsImF1\
    ZCI6Imp3dCIsInN1YiI6IjhmMTRlNDVmLWNlZWEtNDY3Zi1hMGU2LTdhM2Y2YWIxYzJkMyIsImp0aSI6IlprM3hRMHZUMW1COHNZ\
    YzVkV25McEEiLCJpYXQiOjE4MDAwMDAwMDAuMjUsImV4cCI6MTgwMDAwMDkwMC4yNSwibmFtZSI6InZpc2l0b3ItMDAwMDAiLCJy\
    b2xlIjoidXNlciJ9.h9WprbSckSracQyFTuCvmYySkHvjURQtdCU6se5HfSw";

pub const ES256_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeInZ4nn6RuthJ78+\n\
    c2PutasnBOG9OHOIHwYgyBqKvuShRANCAARUqbPXZ6PSNTQVxhhLF0NHpI75K3N+\n\
    gjfLJzQGs1NrLE4HHWlzJE1ob3i5PktBYGB7hcNs8Jn6O6pFWlVPEavq\n\
    -----END PRIVATE KEY-----\n";

pub const ES256_TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6IkZxSVpKUVItLVAwS1VPUjBTMVRjZTZMTFAycl9fMkFxYk1wS1Jf\
    TFBSR3MifQ.eyJpc3MiOiJqd3QtdnMtc2Vzc2lvbiIsImF1ZCI6Imp3dCIsInN1YiI6IjhmMTRlNDVmLWNlZWEtNDY3Zi1hMGU2L\
    TdhM2Y2YWIxYzJkMyIsImp0aSI6IlprM3hRMHZUMW1COHNZYzVkV25McEEiLCJpYXQiOjE4MDAwMDAwMDAuMjUsImV4cCI6MTgwM\
    DAwMDkwMC4yNSwibmFtZSI6InZpc2l0b3ItMDAwMDAiLCJyb2xlIjoidXNlciJ9.uJLawPeO5YduBp_L2FM6SHo4jIJo-_b4ItCF\
    FCsjsn3Jyxk65l2ds-1nQZUZFI7gsvsSx1_EQAsTqfKG1sUj2w";

pub const EDDSA_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIP4zchv6XsH8dq2JsWto1v0lOYTCUEuF+zGKiLw7hjRg\n\
    -----END PRIVATE KEY-----\n";

pub const EDDSA_TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6InZqRzVMN2N1SHVucVV4dkZ2bHcwV3BhaU5qcVBvYXdCbHFiLU5D\
    RldlTTAifQ.eyJpc3MiOiJqd3QtdnMtc2Vzc2lvbiIsImF1ZCI6Imp3dCIsInN1YiI6IjhmMTRlNDVmLWNlZWEtNDY3Zi1hMGU2L\
    TdhM2Y2YWIxYzJkMyIsImp0aSI6IlprM3hRMHZUMW1COHNZYzVkV25McEEiLCJpYXQiOjE4MDAwMDAwMDAuMjUsImV4cCI6MTgwM\
    DAwMDkwMC4yNSwibmFtZSI6InZpc2l0b3ItMDAwMDAiLCJyb2xlIjoidXNlciJ9.bcmiv8JqRsD5m8tNZtTr_bHOIUDzo_F6px1R\
    5EFtXydAEuL_wR3v7kCP6mBN-Y_amgMJvYHfQ2aQjXc3mF6vCA";

pub const RS256_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC4VkvaMDm0ESpt\n\
    zujY7awAXHo3C5YZDRm04D7PW44heQhKMTtV+A7phXbUHdfvDmjd7VuWs2086RMM\n\
    xJYYjt303o1JBT2OB/1A3ZPHPvgtTQgza84/WewlRqC/2H9yl50/GikQro3bIB+u\n\
    d+hjqJnILgD2FX4/bzT4g06f1Snb2ggUSFfk5AEygRFvF5gXS6KaRy8+hPnnkpPE\n\
    DZKZLbI/3Kr4WBEBopcQv9SrhMr/HXT27/QfsMpnK/9nGVNmsTs3qdR0geJzLF7B\n\
    Vlh7X/Yu82/GSerhE8wKm5lCLrF238dmM32no92w8CvmEFDjQ6avvohkmOmRCMFB\n\
    hTvr3sCtAgMBAAECggEAFY3oU6x6QCnBA32uBhjlw6sMkrLU9maXlWn33jOPRIRh\n\
    qZnlHXHNKJV1u2rRQio2ApE2ZEI5vpAQWANaplIk9kou92qt88AlEaMhxwAAG/1F\n\
    vWGDMy7WvoBqMSnls9Fc+TEcESUgADna39c0ggayaKZRxXSQ7RDvVDRiYAJttmpZ\n\
    bJIlf6aJuUgvFPHHVNZ/R+rloEQ70Km4DPrwc7NKwG9D/xvRkqPIp4aLd6P0ZJT6\n\
    xbyezAdYkfoWEJuGzyoKOFR59z7enPz1QN1/tm/rw7nNjb/OzEY70PktwlTWKpHT\n\
    iZQqSZaJtTQoMafIEDIFUUiNMeig/K24RRrzoSjEbwKBgQDppHEQEmn10yZ1un7r\n\
    M3NBvOh0TbhlB/RMbubjzir4REYQl6++7ApMtTjMElYGE2azUvat0xUBK1ozu3Bj\n\
    KYth548phIrhz1G0NIB/ih5z+Ctffcps7uloo6TzUwyjGbtOq/VPzJn7ofXLydYh\n\
    BB6RppqpaQ1lDyXbrHGegmEJawKBgQDJ+gTsN5BR1Tn66li8tEH70Xzx7B8QroEB\n\
    4ocpxkrME3N9TpLzencXWiJrOZvw066gdHv83d3ZjCx7Ws6zplKBlJvf2I7UMRsY\n\
    BKf+jJeHg+Guwxw6d7DGNj18DZdOwKZTKj4jmM90y1b/nydqlZ6qNrG/1+w7qk0k\n\
    e0jwy/RsRwKBgQDe6y+Y1wjUK9cZIowv2pIQWa4sMW9KrfEv7+xJ1A55e6Kh+CgN\n\
    cGZPU+TSCHidKWumkvSbWrdCu1s/2onbguriya11PmnIEydwWVt01JJDsbeoT3uQ\n\
    vc5jMSeTpVx8TXPCFx1iOuN8C8ZZ3sR4Edccvqn4EyxdjLthQcHSK7Fr6wKBgGEc\n\
    5LcLNEoUgu9BNG9vIHbK0A+mH32u2fqlB6YvYJFlHNd4KzIEhTRmMzxpE7Ckp0ch\n\
    GuiHaP8L5etdyxsX8n25jYUApBQklEllG71JriYLZDzaNT1rhUSYmdGG22STPqWo\n\
    Hv6Qn9chWfBIfvRBgmuHJsn+MOizRqou2PBmsFxLAoGADZtMdg3ioyamTSCcedRL\n\
    1IM+86/PPDTJmZdaC1SwZP1Pz19FS98yqr9w04VjqHAE5SKhxLM6LfPleyEPJQpr\n\
    nZ6orlCK4GhhjqsQDOz6SAIqWaiNQF+DZ+4Epio9SonLcyKsLVU4GxZsB3WmVIQH\n\
    +4uV3d6IqHLs1ZkDx0YMKcU=\n\
    -----END PRIVATE KEY-----\n";

pub const RS256_TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJSUzI1NiIsImtpZCI6Ik85QVhmckhHc0hGUjczZ3Zodk1OU1EyME9kMmFUUFhjaFB5YkxD\
    a0xrcWcifQ.eyJpc3MiOiJqd3QtdnMtc2Vzc2lvbiIsImF1ZCI6Imp3dCIsInN1YiI6IjhmMTRlNDVmLWNlZWEtNDY3Zi1hMGU2L\
    TdhM2Y2YWIxYzJkMyIsImp0aSI6IlprM3hRMHZUMW1COHNZYzVkV25McEEiLCJpYXQiOjE4MDAwMDAwMDAuMjUsImV4cCI6MTgwM\
    DAwMDkwMC4yNSwibmFtZSI6InZpc2l0b3ItMDAwMDAiLCJyb2xlIjoidXNlciJ9.UEGG5LEwKvF3C1hiUPfeVa9wrUGU3MKP7mNr\
    zSbQFbiQEWRYWN0IhFBVMH8Hf_lRp7gBBwMhtM8g5mLWq713sv6ztGT3TUpsUq-K_dsGVz-yzK7TRBrvFvddJCcokRT0LYZZkb_d\
    GcMOqabqOt7hc_0Wj3QkjyqO8kShLpOSa_rLeqcfcX-etps4p6yk2r_Lsztv8bXFaEonkZif64f9wh2K4h0XxnCnELAQVlIdtgjH\
    xbrMC43rNoDBbivLSLVaB1qBn9wt0DY6cwoVDTdSDA1ngtJQeJB1Tx4GNMKdXs4hADKfaeHY8oelic3LNMCEIxIjf2JR6_RN98A_\
    rMPQHw";
